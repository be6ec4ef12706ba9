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

// What a process did, or what was done to the sensor.
std::string bypass_words(const event::Event& event) {
  const event::Bypass& bypass = *event.bypass;
  if (bypass.technique == event::Technique::detached) {
    return fmt::format("the program {} of the sensor was taken off its hook", bypass.program);
  }
  const std::string address =
      bypass.address ? fmt::format(" {} port {}", bypass.address->ip, bypass.address->port) : std::string();
  const auto sentence = [&](std::string_view words) {
    return fmt::format("{} {}{}", sender_words(event), words, address);
  };
  switch (bypass.technique) {
    case event::Technique::dns_over_tls:
      return sentence("speaks DNS over TLS to");
    case event::Technique::dns_over_https:
      return sentence("speaks HTTPS to the public resolver");
    case event::Technique::dns_over_quic:
      return sentence("speaks DNS over QUIC to");
    case event::Technique::other_resolver:
      return sentence("asks a resolver that it is not configured to ask,");
    case event::Technique::raw_socket:
      return sentence("has a raw socket");
    case event::Technique::packet_socket:
      return sentence("has a packet socket");
    case event::Technique::detached:
    case event::Technique::unspecified:
      break;
  }
  return sentence("goes around the sensor");
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
    case event::Kind::bypass:
      return "bypass";
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
  if (event.bypass) return level_rank(event.bypass->technique == event::Technique::detached ? "high" : "low");
  const event::Rule* gravest = gravest_rule(event);
  return gravest == nullptr ? 0 : level_rank(gravest->level);
}

std::string summary(const event::Event& event) {
  if (event.kind == event::Kind::loss) return escape_controls(loss_words(event));
  if (event.bypass) return escape_controls(bypass_words(event));
  std::string text = fmt::format("{} {} {}", sender_words(event), verb(event), event.dns ? event.dns->query : "a name");
  if (const event::Rule* rule = gravest_rule(event); rule != nullptr) text += ": " + rule->title;
  return escape_controls(text);
}

}  // namespace nslookout::encode
