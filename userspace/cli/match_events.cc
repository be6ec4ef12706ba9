#include "cli/match_events.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/ascii_json.h"
#include "base/idna.h"
#include "sigma/fields.h"

namespace nslookout::cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t max_depth = 32;  // of objects in objects

std::string text_of(const Json& value) { return value.is_string() ? value.get<std::string>() : value.dump(); }

struct EventField {
  std::string name;
  std::vector<std::string> values;
};

Result<void> add_field(std::vector<EventField>& fields, const std::string& field, const Json& value,
                       std::size_t depth) {
  if (value.is_object()) {
    if (depth >= max_depth) return fail(ErrorClass::invalid, "objects are nested deeper than {} levels", max_depth);
    for (const auto& [key, inner] : value.items()) {
      const std::string path = field.empty() ? key : fmt::format("{}.{}", field, key);
      if (auto added = add_field(fields, path, inner, depth + 1); !added) return added;
    }
    return {};
  }
  std::vector<std::string> texts;
  if (value.is_array()) {
    for (const Json& element : value) {
      if (element.is_structured()) {
        return fail(ErrorClass::invalid, "an element of '{}' must be a text, a number, true, false or null", field);
      }
      if (!element.is_null()) texts.push_back(text_of(element));
    }
  } else if (!value.is_null()) {
    texts.push_back(text_of(value));
  }
  fields.push_back({field, std::move(texts)});
  return {};
}

// The name that the event asks for, as a name: lists, search suffixes and labels outside ASCII need it. Nothing where the text
// would be another one then, because the event does not write names in presentation form.
std::optional<match::Query> query_of_name(const EventField& field) {
  if (field.values.size() != 1) return std::nullopt;
  const std::string& text = field.values.front();
  auto query = match::Query::of_name(text);
  if (!query) return std::nullopt;
  const std::string& name = query->value(sigma::Field::query)->text;
  if (text == name || text == name + ".") return std::move(*query);
  if (is_ascii(text) || text.find('\\') != std::string::npos) return std::nullopt;
  query->add_spelling(text);  // its characters are those that people see
  return std::move(*query);
}

match::Query query_of_fields(const std::vector<EventField>& fields) {
  const auto is_name = [](const EventField& field) {
    return sigma::field_from_name(field.name) == sigma::Field::query;
  };
  // The last of them counts, as of any field.
  const auto name = std::ranges::find_if(fields.rbegin(), fields.rend(), is_name);
  auto named = name == fields.rend() ? std::nullopt : query_of_name(*name);
  match::Query query = named ? std::move(*named) : match::Query();
  for (const EventField& field : fields) {
    if (!named || !is_name(field)) query.set_values(field.name, field.values);
  }
  return query;
}

// The parser goes down with the nesting of its input, so the input is looked at first.
bool too_deep(std::string_view line) {
  std::size_t depth = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (in_string) {
      if (c == '\\') ++i;
      if (c == '"') in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == '{' || c == '[') {
      if (++depth > max_depth + 1) return true;
    } else if ((c == '}' || c == ']') && depth > 0) {
      --depth;
    }
  }
  return false;
}

}  // namespace

Result<match::Query> query_of_event(std::string_view line) {
  if (too_deep(line)) return fail(ErrorClass::invalid, "objects are nested deeper than {} levels", max_depth);
  const Json event = Json::parse(line, nullptr, false);
  if (!event.is_object()) return fail(ErrorClass::invalid, "the line is not one JSON object");
  std::vector<EventField> fields;
  if (auto added = add_field(fields, "", event, 0); !added) return fail(added.error());
  return query_of_fields(fields);
}

std::string event_json(std::size_t index, const std::vector<match::Hit>& hits) {
  Json rules = Json::array();
  for (const auto& hit : hits) {
    rules.push_back({{"id", hit.id()}, {"title", hit.title()}, {"level", hit.level()}, {"file", hit.file()}});
  }
  const Json json = {{"event", index}, {"rules", rules}};
  return ascii_json(json) + "\n";
}

}  // namespace nslookout::cli
