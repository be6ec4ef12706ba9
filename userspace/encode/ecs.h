// An event as an object of ECS. See encode/format.h for the contract.
#pragma once

#include <nlohmann/json.hpp>

#include "event/event.h"

namespace nslookout::encode {

[[nodiscard]] nlohmann::json to_ecs(const event::Event& event);

}  // namespace nslookout::encode
