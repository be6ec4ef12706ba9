// What the mappings to ECS and to OCSF share: putting values into an object, and parts of an event as text.
// Thread rule: any thread.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "event/event.h"

namespace nslookout::encode {

using nlohmann::json;

// As UTF-8, octets that are not as \xHH.
[[nodiscard]] json text(std::string_view octets);
[[nodiscard]] json texts(const std::vector<std::string>& strings);

// Nothing is put for an empty text, list or object.
void put(json& object, const char* key, std::string_view octets);
void put(json& object, const char* key, const std::vector<std::string>& strings);
void put_object(json& object, const char* key, json value);

// The arguments joined by spaces; one with a space, a quote or nothing in it stands in double quotes.
[[nodiscard]] std::string command_line_text(const std::vector<std::string>& arguments);

[[nodiscard]] std::string file_name(std::string_view path);

// "2026-03-31T00:04:05.123456789Z"
[[nodiscard]] std::string iso_time(WallTime time);
[[nodiscard]] std::int64_t milliseconds(WallTime time);

// Of an image's reference: "nginx" and "1" for "nginx:1"; a digest is no tag.
struct ImageName {
  std::string name, tag;
};
[[nodiscard]] ImageName image_name(std::string_view reference);

// The identifiers of MITRE ATT&CK among the tags of all rules, upper case, each once: "T1071", "T1071.004".
[[nodiscard]] std::vector<std::string> techniques(const event::Event& event);

// The same process as one text: boot, pid and start; empty where the start is not known.
[[nodiscard]] std::string process_entity(const event::Event& event, const event::Process& process);

// The event's own JSON (event/codec.h) without what a mapping has fields for: JSON pointers (RFC 6901). A new field is
// in it until a mapping names it. The schema's version is left out.
[[nodiscard]] json native_rest(const event::Event& event, std::span<const char* const> mapped);

}  // namespace nslookout::encode
