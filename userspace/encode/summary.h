// An event in one sentence, for readers of a journal or a message field: "curl (4711) asked for sfrclak.com: Title".
// Thread rule: any thread.
#pragma once

#include <string>
#include <string_view>

#include "event/event.h"

namespace nslookout::encode {

// One line of visible text whatever the event holds.
[[nodiscard]] std::string summary(const event::Event& event);

// "match", "query", "response", "correlation", "loss".
[[nodiscard]] std::string_view kind_word(event::Kind kind);

// The rule of the highest level, the first of several; null where no rule matched.
[[nodiscard]] const event::Rule* gravest_rule(const event::Event& event);

// 0: no rule matched; else 1 (informational) to 5 (critical), of the gravest rule.
[[nodiscard]] int severity(const event::Event& event);

}  // namespace nslookout::encode
