#include "sigma/fields.h"

#include <array>

namespace nslookout::sigma {
namespace {

struct FieldName {
  std::string_view name;
  Field field;
};

constexpr auto field_names = std::to_array<FieldName>({
    {"query", Field::query},
    {"QueryName", Field::query},
    {"dns.question.name", Field::query},
    {"record_type", Field::record_type},
    {"QueryType", Field::record_type},
    {"qtype_name", Field::record_type},
    {"qtype", Field::record_type},
    {"dns.question.type", Field::record_type},
    {"Image", Field::image},
    {"process.executable", Field::image},
    {"CommandLine", Field::command_line},
    {"process.command_line", Field::command_line},
    {"User", Field::user},
    {"user.name", Field::user},
    {"ProcessId", Field::process_id},
    {"process.pid", Field::process_id},
    {"ParentImage", Field::parent_image},
    {"process.parent.executable", Field::parent_image},
});

}  // namespace

Field field_from_name(std::string_view name) {
  for (const FieldName& known : field_names) {
    if (known.name == name) return known.field;
  }
  return Field::other;
}

}  // namespace nslookout::sigma
