#include "encode/summary.h"

#include <fmt/format.h>

#include "base/escape.h"
#include "base/level.h"

namespace nslookout::encode {
namespace {

std::string sender_words(const event::Event& event) {
  if (!event.process) return "somebody";
  const event::Process& process = *event.process;
  const std::string& name = process.comm.empty() ? process.executable : process.comm;
  if (name.empty()) return fmt::format("process {}", process.pid);
  return fmt::format("{} ({})", name, process.pid);
}

std::string loss_words(const event::Event& event) {
  std::string text = "lost";
  const char* separator = " ";
  for (const event::Loss& loss : event.losses) {
    text += fmt::format("{}{} at the stage {}{}{}", separator, loss.count, loss.stage,
                        loss.output.empty() ? "" : " of ", loss.output);
    separator = ", ";
  }
  return text;
}

std::string_view verb(const event::Event& event) {
  if (event.action == event::Action::blocked) return "was kept from asking for";
  if (event.kind == event::Kind::response) return "got a response for";
  return "asked for";
}

}  // namespace

std::string_view kind_word(event::Kind kind) {
  switch (kind) {
    case event::Kind::match:
      return "match";
    case event::Kind::query:
      return "query";
    case event::Kind::response:
      return "response";
    case event::Kind::correlation:
      return "correlation";
    case event::Kind::loss:
      return "loss";
    case event::Kind::unspecified:
      break;
  }
  return "event";
}

const event::Rule* gravest_rule(const event::Event& event) {
  const event::Rule* gravest = nullptr;
  for (const event::Rule& rule : event.rules) {
    if (gravest == nullptr || level_rank(rule.level) > level_rank(gravest->level)) gravest = &rule;
  }
  return gravest;
}

int severity(const event::Event& event) {
  const event::Rule* gravest = gravest_rule(event);
  return gravest == nullptr ? 0 : level_rank(gravest->level);
}

std::string summary(const event::Event& event) {
  if (event.kind == event::Kind::loss) return escape_controls(loss_words(event));
  std::string text = fmt::format("{} {} {}", sender_words(event), verb(event), event.dns ? event.dns->query : "a name");
  if (const event::Rule* rule = gravest_rule(event); rule != nullptr) text += ": " + rule->title;
  return escape_controls(text);
}

}  // namespace nslookout::encode
