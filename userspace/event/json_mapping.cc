#include "event/json_mapping.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/duration.pb.h>
#include <google/protobuf/timestamp.pb.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/compile.h>
#include <fmt/format.h>
#include <unistr.h>

#include "base/base64.h"
#include "base/clock.h"
#include "event/plain_octet.h"

namespace nslookout::event {
namespace {

using google::protobuf::Duration;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;
using google::protobuf::Timestamp;

struct Range {
  ucs4_t first, last;
};

// Beyond ASCII: what does not show, or changes how what is beside it shows (C1 controls, soft hyphen, marks of direction,
// separators of lines, byte order mark, tags). The same as protobuf's writer escapes.
constexpr std::array<Range, 15> unseen = {{
    {0x80, 0x9F},
    {0xAD, 0xAD},
    {0x600, 0x603},
    {0x6DD, 0x6DD},
    {0x70F, 0x70F},
    {0x17B4, 0x17B5},
    {0x200B, 0x200F},
    {0x2028, 0x202E},
    {0x2060, 0x2064},
    {0x206A, 0x206F},
    {0xFEFF, 0xFEFF},
    {0xFFF9, 0xFFFB},
    {0x1D173, 0x1D17A},
    {0xE0001, 0xE0001},
    {0xE0020, 0xE007F},
}};

bool is_unseen(ucs4_t character) {
  for (const Range& range : unseen) {
    if (character >= range.first && character <= range.last) return true;
  }
  return false;
}

constexpr std::array<bool, 256> plain_octets() {
  std::array<bool, 256> table{};
  for (std::size_t octet = 0; octet < table.size(); ++octet) table[octet] = is_plain(static_cast<unsigned char>(octet));
  return table;
}
constexpr std::array<bool, 256> plain = plain_octets();

void append_number_escape(std::string& out, ucs4_t unit) { fmt::format_to(std::back_inserter(out), "\\u{:04x}", unit); }

void append_ascii_escape(std::string& out, char character) {
  switch (character) {
    case '"':
      out += "\\\"";
      break;
    case '\\':
      out += "\\\\";
      break;
    case '\b':
      out += "\\b";
      break;
    case '\f':
      out += "\\f";
      break;
    case '\n':
      out += "\\n";
      break;
    case '\r':
      out += "\\r";
      break;
    case '\t':
      out += "\\t";
      break;
    default:
      append_number_escape(out, static_cast<unsigned char>(character));
  }
}

// Appends the character at the start of text, which is not plain, and tells how many octets it has.
std::size_t append_special(std::string& out, std::string_view text) {
  if (static_cast<unsigned char>(text[0]) < 0x80) {
    append_ascii_escape(out, text[0]);
    return 1;
  }
  ucs4_t character = 0;
  const int length = u8_mbtouc(&character, reinterpret_cast<const std::uint8_t*>(text.data()), text.size());
  const auto taken = static_cast<std::size_t>(length);
  if (!is_unseen(character)) {
    out += text.substr(0, taken);
    return taken;
  }
  std::array<std::uint16_t, 2> units{};
  const int count = u16_uctomb(units.data(), character, static_cast<int>(units.size()));
  for (int i = 0; i < count; ++i) append_number_escape(out, units[static_cast<std::size_t>(i)]);
  return taken;
}

void append_string(std::string& out, std::string_view text) {
  out += '"';
  while (!text.empty()) {
    std::size_t run = 0;
    while (run < text.size() && plain[static_cast<unsigned char>(text[run])]) ++run;
    out += text.substr(0, run);
    text.remove_prefix(run);
    if (!text.empty()) text.remove_prefix(append_special(out, text));
  }
  out += '"';
}

template <typename Number>
void append_number(std::string& out, Number number) {
  const fmt::format_int digits(number);
  out.append(digits.data(), digits.size());
}

// 64-bit integers are strings: a double does not hold them all.
template <typename Number>
void append_quoted_number(std::string& out, Number number) {
  out += '"';
  append_number(out, number);
  out += '"';
}

// None, or a point and three, six or nine digits.
void append_fraction(std::string& out, std::int32_t nanos) {
  constexpr std::int32_t thousand = 1000;
  if (nanos == 0) return;
  const auto to = std::back_inserter(out);
  if (nanos % thousand != 0) {
    fmt::format_to(to, FMT_COMPILE(".{:09}"), nanos);
  } else if (nanos / thousand % thousand != 0) {
    fmt::format_to(to, FMT_COMPILE(".{:06}"), nanos / thousand);
  } else {
    fmt::format_to(to, FMT_COMPILE(".{:03}"), nanos / thousand / thousand);
  }
}

void append_timestamp(std::string& out, const Timestamp& time) {
  out += '"';
  append_utc(out, std::chrono::sys_seconds{std::chrono::seconds{time.seconds()}});
  append_fraction(out, time.nanos());
  out += "Z\"";
}

void append_duration(std::string& out, const Duration& duration) {
  out += '"';
  if (duration.seconds() < 0 || duration.nanos() < 0) out += '-';
  append_number(out, std::abs(duration.seconds()));
  append_fraction(out, std::abs(duration.nanos()));
  out += "s\"";
}

void append_enum(std::string& out, const FieldDescriptor& field, int number) {
  const auto* value = field.enum_type()->FindValueByNumber(number);
  if (value != nullptr) {
    append_string(out, value->name());
  } else {
    append_number(out, number);  // of a later schema
  }
}

void append_text(std::string& out, const FieldDescriptor& field, const std::string& octets) {
  append_string(out, field.type() == FieldDescriptor::TYPE_BYTES ? to_base64(octets) : octets);
}

void append_single(std::string& out, const Message& message, const Reflection& reflection,
                   const FieldDescriptor& field) {
  std::string scratch;
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_STRING:
      return append_text(out, field, reflection.GetStringReference(message, &field, &scratch));
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return append_json(reflection.GetMessage(message, &field), out);
    case FieldDescriptor::CPPTYPE_BOOL:
      out += reflection.GetBool(message, &field) ? "true" : "false";
      return;
    case FieldDescriptor::CPPTYPE_ENUM:
      return append_enum(out, field, reflection.GetEnumValue(message, &field));
    case FieldDescriptor::CPPTYPE_INT32:
      return append_number(out, reflection.GetInt32(message, &field));
    case FieldDescriptor::CPPTYPE_UINT32:
      return append_number(out, reflection.GetUInt32(message, &field));
    case FieldDescriptor::CPPTYPE_INT64:
      return append_quoted_number(out, reflection.GetInt64(message, &field));
    case FieldDescriptor::CPPTYPE_UINT64:
      return append_quoted_number(out, reflection.GetUInt64(message, &field));
    default:  // a test holds the schema against this
      out += "null";
  }
}

// Maps of strings, in the order of their keys: protobuf's own order is another one in each message.
void append_map(std::string& out, const Message& message, const Reflection& reflection, const FieldDescriptor& field) {
  const FieldDescriptor* key = field.message_type()->map_key();
  const FieldDescriptor* value = field.message_type()->map_value();
  const int size = reflection.FieldSize(message, &field);
  std::vector<std::pair<std::string, const Message*>> entries;
  entries.reserve(static_cast<std::size_t>(size));
  for (int i = 0; i < size; ++i) {
    const Message& entry = reflection.GetRepeatedMessage(message, &field, i);
    entries.emplace_back(entry.GetReflection()->GetString(entry, key), &entry);
  }
  std::ranges::sort(entries);
  out += '{';
  for (const auto& [name, entry] : entries) {
    if (entry != entries.front().second) out += ',';
    append_text(out, *key, name);
    out += ':';
    append_single(out, *entry, *entry->GetReflection(), *value);
  }
  out += '}';
}

// event.proto has lists of strings and of messages.
void append_list(std::string& out, const Message& message, const Reflection& reflection, const FieldDescriptor& field) {
  const int size = reflection.FieldSize(message, &field);
  std::string scratch;
  out += '[';
  for (int i = 0; i < size; ++i) {
    if (i > 0) out += ',';
    if (field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
      append_json(reflection.GetRepeatedMessage(message, &field, i), out);
    } else {
      append_text(out, field, reflection.GetRepeatedStringReference(message, &field, i, &scratch));
    }
  }
  out += ']';
}

}  // namespace

void append_json(const Message& message, std::string& out) {
  const auto* descriptor = message.GetDescriptor();
  // NOLINTBEGIN(cppcoreguidelines-pro-type-static-cast-downcast): the descriptor says which it is
  if (descriptor == Timestamp::descriptor()) return append_timestamp(out, static_cast<const Timestamp&>(message));
  if (descriptor == Duration::descriptor()) return append_duration(out, static_cast<const Duration&>(message));
  // NOLINTEND(cppcoreguidelines-pro-type-static-cast-downcast)
  const Reflection& reflection = *message.GetReflection();
  std::vector<const FieldDescriptor*> fields;
  reflection.ListFields(message, &fields);
  out += '{';
  for (const FieldDescriptor* field : fields) {
    if (field != fields.front()) out += ',';
    out += '"';
    out += field->name();
    out += "\":";
    if (field->is_map()) {
      append_map(out, message, reflection, *field);
    } else if (field->is_repeated()) {
      append_list(out, message, reflection, *field);
    } else {
      append_single(out, message, reflection, *field);
    }
  }
  out += '}';
}

}  // namespace nslookout::event
