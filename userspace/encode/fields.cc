#include "encode/fields.h"

#include <algorithm>
#include <cctype>
#include <chrono>

#include <fmt/format.h>

#include "base/escape.h"
#include "event/codec.h"

namespace nslookout::encode {

json text(std::string_view octets) { return escape_invalid_utf8(octets); }

json texts(const std::vector<std::string>& strings) {
  json list = json::array();
  for (const std::string& octets : strings) list.push_back(text(octets));
  return list;
}

void put(json& object, const char* key, std::string_view octets) {
  if (!octets.empty()) object[key] = text(octets);
}

void put(json& object, const char* key, const std::vector<std::string>& strings) {
  if (!strings.empty()) object[key] = texts(strings);
}

void put_object(json& object, const char* key, json value) {
  if (!value.empty()) object[key] = std::move(value);
}

std::string command_line_text(const std::vector<std::string>& arguments) {
  std::string line;
  for (const std::string& argument : arguments) {
    if (!line.empty()) line += ' ';
    if (!argument.empty() && argument.find_first_of(" \t\n\"'\\") == std::string::npos) {
      line += argument;
      continue;
    }
    line += '"';
    for (const char c : argument) {
      if (c == '"' || c == '\\') line += '\\';
      line += c;
    }
    line += '"';
  }
  return line;
}

std::string file_name(std::string_view path) { return std::string(path.substr(path.rfind('/') + 1)); }

std::string iso_time(WallTime time) {
  const auto whole = std::chrono::floor<std::chrono::seconds>(time);
  std::string out;
  append_utc(out, whole);
  fmt::format_to(std::back_inserter(out), ".{:09}Z", (time - whole).count());
  return out;
}

std::int64_t milliseconds(WallTime time) {
  return std::chrono::floor<std::chrono::milliseconds>(time).time_since_epoch().count();
}

ImageName image_name(std::string_view reference) {
  const std::string_view name = reference.substr(0, reference.find('@'));
  const std::size_t colon = name.rfind(':');
  // The colon of a registry's port is followed by a path.
  if (colon == std::string_view::npos || name.find('/', colon) != std::string_view::npos) {
    return {std::string(name), ""};
  }
  return {std::string(name.substr(0, colon)), std::string(name.substr(colon + 1))};
}

std::vector<std::string> techniques(const event::Event& event) {
  constexpr std::string_view prefix = "attack.t";
  std::vector<std::string> found;
  for (const event::Rule& rule : event.rules) {
    for (const std::string& tag : rule.tags) {
      if (!tag.starts_with(prefix) || tag.size() == prefix.size()) continue;
      const std::string_view number = std::string_view(tag).substr(prefix.size());
      const bool digits = std::ranges::all_of(number, [](char c) { return (c >= '0' && c <= '9') || c == '.'; });
      std::string id = fmt::format("T{}", number);
      if (digits && std::ranges::find(found, id) == found.end()) found.push_back(std::move(id));
    }
  }
  return found;
}

std::string process_entity(const event::Event& event, const event::Process& process) {
  if (!process.start_time) return "";
  return fmt::format("{}-{}-{}", event.host ? event.host->boot_id : "", process.pid,
                     process.start_time->time_since_epoch().count());
}

json native_rest(const event::Event& event, std::span<const char* const> mapped) {
  json rest = json::parse(event::to_json_line(event));
  rest.erase("schema_version");
  for (const char* path : mapped) {
    const json::json_pointer pointer(path);
    const json::json_pointer above = pointer.parent_pointer();
    if (!rest.contains(pointer)) continue;
    rest.at(above).erase(pointer.back());
    if (!above.empty() && rest.at(above).empty()) rest.erase(above.back());
  }
  return rest;
}

}  // namespace nslookout::encode
