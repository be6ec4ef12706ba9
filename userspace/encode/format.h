// An event as one line of JSON: nslookout's own schema, the Elastic Common Schema, or OCSF's DNS Activity.
//
// Invariants: a line holds no octet below 0x20 and none that a terminal obeys, whatever names and arguments the event
// holds; octets that are not UTF-8 are written as \xHH. What the other schemas have no field for stands in ECS under
// `nslookout`, in OCSF under `unmapped`, with the names of proto/nslookout/v1/event.proto. Absent fields are left out.
// Sources: ECS 9.4 (field reference); OCSF 1.8, class 4003 with the profiles host, container and security_control.
// Thread rule: any thread.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "event/event.h"

namespace nslookout::encode {

enum class Format { native, ecs, ocsf };
inline constexpr std::array<std::string_view, 3> format_names = {"native", "ecs", "ocsf"};

[[nodiscard]] std::optional<Format> format_from_name(std::string_view name);

// No newline at its end.
[[nodiscard]] Result<std::string> to_line(const event::Event& event, Format format);

}  // namespace nslookout::encode
