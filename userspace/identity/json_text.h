// Reading JSON that nobody vouches for: a part that is missing, or is something else than it should be, is empty.
// Thread rule: any thread.
#pragma once

#include <map>
#include <string>

#include <nlohmann/json.hpp>

namespace nslookout::identity {

// A null where there is no such part.
[[nodiscard]] inline const nlohmann::json& part_of(const nlohmann::json& object, const char* key) {
  static const nlohmann::json none;
  if (!object.is_object()) return none;
  const auto found = object.find(key);
  return found != object.end() ? *found : none;
}

[[nodiscard]] inline std::string text_of(const nlohmann::json& object, const char* key) {
  const nlohmann::json& part = part_of(object, key);
  return part.is_string() ? part.get<std::string>() : std::string();
}

[[nodiscard]] inline std::map<std::string, std::string> texts_of(const nlohmann::json& object) {
  std::map<std::string, std::string> texts;
  if (!object.is_object()) return texts;
  for (const auto& [key, value] : object.items()) {
    if (value.is_string()) texts.emplace(key, value.get<std::string>());
  }
  return texts;
}

}  // namespace nslookout::identity
