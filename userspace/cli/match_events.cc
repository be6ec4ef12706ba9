#include "cli/match_events.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace nslookout::cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t max_depth = 32;  // of objects in objects

std::string text_of(const Json& value) { return value.is_string() ? value.get<std::string>() : value.dump(); }

Result<void> set_field(match::Query& query, const std::string& field, const Json& value, std::size_t depth) {
  if (value.is_object()) {
    if (depth >= max_depth) return fail(ErrorClass::invalid, "objects are nested deeper than {} levels", max_depth);
    for (const auto& [key, inner] : value.items()) {
      const std::string path = field.empty() ? key : fmt::format("{}.{}", field, key);
      if (auto set = set_field(query, path, inner, depth + 1); !set) return set;
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
  query.set_values(field, texts);
  return {};
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
  match::Query query;
  if (auto set = set_field(query, "", event, 0); !set) return fail(set.error());
  return query;
}

std::string event_json(std::size_t index, const std::vector<match::Hit>& hits) {
  Json rules = Json::array();
  for (const auto& hit : hits) {
    rules.push_back({{"id", hit.id()}, {"title", hit.title()}, {"level", hit.level()}, {"file", hit.file()}});
  }
  const Json json = {{"event", index}, {"rules", rules}};
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace nslookout::cli
