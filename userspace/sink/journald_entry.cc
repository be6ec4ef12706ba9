#include "sink/journald_entry.h"

#include <vector>

#include <fmt/format.h>

#include "base/escape.h"
#include "encode/fields.h"
#include "encode/summary.h"
#include "sink/syslog_message.h"

namespace nslookout::sink {
namespace {

class Entry {
 public:
  // Nothing for an empty value. A value of another process's making is escaped, so that it has no newline.
  void add(std::string_view name, std::string_view value) {
    if (!value.empty()) text_ += fmt::format("{}={}\n", name, escape_controls(value));
  }
  void add_number(std::string_view name, std::uint64_t value) { text_ += fmt::format("{}={}\n", name, value); }
  [[nodiscard]] std::string take() { return std::move(text_); }

 private:
  std::string text_;
};

void add_dns(const event::Dns& dns, Entry& entry) {
  entry.add("NSLOOKOUT_QUERY", dns.query);
  entry.add("NSLOOKOUT_RECORD_TYPE", dns.record_type);
  entry.add("NSLOOKOUT_TRANSPORT", dns.transport);
  if (dns.server) entry.add("NSLOOKOUT_SERVER", dns.server->ip);
  if (dns.rcode) entry.add_number("NSLOOKOUT_RCODE", *dns.rcode);
}

void add_process(const event::Process& process, Entry& entry) {
  entry.add_number("NSLOOKOUT_PID", process.pid);
  entry.add("NSLOOKOUT_COMM", process.comm);
  entry.add("NSLOOKOUT_EXECUTABLE", process.executable);
  entry.add("NSLOOKOUT_COMMAND_LINE", encode::command_line_text(process.command_line));
  if (process.uid) entry.add_number("NSLOOKOUT_UID", *process.uid);
  entry.add("NSLOOKOUT_USER", process.user);
}

void add_surroundings(const event::Event& event, Entry& entry) {
  if (event.container) {
    entry.add("NSLOOKOUT_CONTAINER_ID", event.container->id);
    entry.add("NSLOOKOUT_CONTAINER_NAME", event.container->name);
    entry.add("NSLOOKOUT_CONTAINER_IMAGE", event.container->image);
  }
  if (event.pod) {
    entry.add("NSLOOKOUT_POD", event.pod->name);
    entry.add("NSLOOKOUT_POD_NAMESPACE", event.pod->namespace_name);
  }
  if (event.origin && event.origin->package) {
    entry.add("NSLOOKOUT_PACKAGE", event.origin->package->name);
    entry.add("NSLOOKOUT_PACKAGE_MANAGER", event.origin->package->manager);
  }
}

std::string_view action_word(event::Action action) {
  switch (action) {
    case event::Action::audited:
      return "audited";
    case event::Action::would_block:
      return "would_block";
    case event::Action::blocked:
      return "blocked";
    case event::Action::unspecified:
      break;
  }
  return "";
}

}  // namespace

std::string journald_entry(const event::Event& event, std::string_view line) {
  Entry entry;
  entry.add("MESSAGE", encode::summary(event));
  entry.add_number("PRIORITY", static_cast<std::uint64_t>(syslog_severity(event)));
  entry.add("SYSLOG_IDENTIFIER", "nslookout");
  entry.add("NSLOOKOUT_KIND", encode::kind_word(event.kind));
  entry.add("NSLOOKOUT_EVENT_ID", event.event_id);
  entry.add("NSLOOKOUT_DUPLICATE_OF", event.duplicate_of);
  if (event.alert) entry.add("NSLOOKOUT_ALERT", *event.alert ? "true" : "false");
  entry.add("NSLOOKOUT_ACTION", action_word(event.action));
  if (event.dns) add_dns(*event.dns, entry);
  if (event.process) add_process(*event.process, entry);
  add_surroundings(event, entry);
  for (const event::Rule& rule : event.rules) {
    entry.add("NSLOOKOUT_RULE_ID", rule.id);  // a field may stand several times
    entry.add("NSLOOKOUT_RULE_TITLE", rule.title);
  }
  if (const event::Rule* rule = encode::gravest_rule(event); rule != nullptr) entry.add("NSLOOKOUT_LEVEL", rule->level);
  for (const event::Loss& loss : event.losses) {
    entry.add("NSLOOKOUT_LOST", fmt::format("{} {} {}", loss.count, loss.stage, loss.output));
  }
  entry.add("NSLOOKOUT_EVENT", line);
  return entry.take();
}

}  // namespace nslookout::sink
