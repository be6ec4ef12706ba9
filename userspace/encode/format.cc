#include "encode/format.h"

#include <algorithm>

#include "base/ascii_json.h"
#include "encode/ecs.h"
#include "encode/ocsf.h"
#include "event/codec.h"

namespace nslookout::encode {

std::optional<Format> format_from_name(std::string_view name) {
  const auto* found = std::ranges::find(format_names, name);
  if (found == format_names.end()) return std::nullopt;
  return static_cast<Format>(found - format_names.begin());
}

Result<std::string> to_line(const event::Event& event, Format format) {
  if (format == Format::native) return event::to_json_line(event);
  try {
    const nlohmann::json object = format == Format::ecs ? to_ecs(event) : to_ocsf(event);
    return ascii_json(object);
  } catch (const std::exception& exception) {
    return fail(ErrorClass::runtime, "writing an event as JSON: {}", exception.what());
  }
}

}  // namespace nslookout::encode
