#include "agent/describe.h"

#include <algorithm>
#include <chrono>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/chrono.h>
#include <fmt/ranges.h>

#include "base/dns_name.h"
#include "event/candidate.h"

namespace nslookout::agent {

event::Rule describe_rule(const match::Hit& hit) {
  event::Rule rule;
  rule.id = hit.id();
  rule.title = hit.title();
  rule.level = hit.level();
  rule.file = hit.file();
  if (hit.rule != nullptr) {
    rule.tags = hit.rule->tags;
    rule.references = hit.rule->references;
  }
  for (const match::MatchedField& field : hit.matched) rule.matched.push_back({field.field, field.value});
  return rule;
}

void mark_expanded(event::Dns& dns, const NameReading* reading) {
  if (reading == nullptr) return;
  dns.expanded_from = wire_to_presentation(reading->wire);
  dns.search_suffix = wire_to_presentation(reading->suffix);
}

std::vector<std::string> names_of_lookup(const event::Dns& dns, const std::vector<NameReading>& readings) {
  std::vector<std::string> names = {dns.query};
  for (const NameReading& reading : readings) {
    // "db" of two namespaces are two names.
    if (reading.any_label && label_count(reading.wire) == 1) continue;
    names.push_back(wire_to_presentation(reading.wire));
  }
  return names;
}

void add_hits(const std::vector<match::Hit>& hits, event::Kind kind, event::Event& event) {
  event.kind = std::ranges::all_of(hits, &match::Hit::correlation) ? event::Kind::correlation : kind;
  event.action = event::Action::audited;
  for (const match::Hit& hit : hits) event.rules.push_back(describe_rule(hit));
}

bool was_judged(const nsl_candidate& candidate) {
  return (candidate.flags & (NSL_FLAG_BLOCKED | NSL_FLAG_WOULD_BLOCK)) != 0;
}

void add_verdict(const nsl_candidate& candidate, event::Event& event) {
  if (!was_judged(candidate)) return;
  event.action = (candidate.flags & NSL_FLAG_BLOCKED) != 0 ? event::Action::blocked : event::Action::would_block;
  if (!event.rules.empty()) return;
  event.kind = event::Kind::match;
  event::Rule rule;
  rule.id = "allow-list";
  rule.title = "Name that is not on the allow list";
  rule.level = "high";
  rule.matched.push_back({"query", event.dns->query});
  event.rules.push_back(std::move(rule));
}

match::Query query_of(const nsl_candidate& candidate) {
  match::Query query = match::Query::of_wire(event::wire_name(candidate));
  const bool over_unix_socket = candidate.transport == NSL_VARLINK || candidate.transport == NSL_NSCD;
  if (over_unix_socket && candidate.record_type == 0) {
    query.set_values("record_type", {"A", "AAAA"});
  } else {
    query.set_record_type(candidate.record_type);
  }
  if (!over_unix_socket) query.set_flags(candidate.dns_flags);
  return query;
}

namespace {

std::string joined(const std::vector<std::string>& arguments) { return fmt::format("{}", fmt::join(arguments, " ")); }

// Empty texts are of what is not known: the field is missing then.
void add(match::Query::Circumstances& fields, sigma::Field field, std::string text) {
  if (!text.empty()) fields.emplace_back(field, std::move(text));
}

void add_process(match::Query::Circumstances& fields, const event::Process& process) {
  add(fields, sigma::Field::image, process.executable);
  add(fields, sigma::Field::command_line, joined(process.command_line));
  add(fields, sigma::Field::current_directory, process.cwd);
  add(fields, sigma::Field::user, process.user);
  add(fields, sigma::Field::process_id, std::to_string(process.pid));
  if (process.parent_pid) add(fields, sigma::Field::parent_process_id, std::to_string(*process.parent_pid));
  if (process.ancestors.empty()) return;
  add(fields, sigma::Field::parent_image, process.ancestors.front().executable);
  add(fields, sigma::Field::parent_command_line, joined(process.ancestors.front().command_line));
}

}  // namespace

match::Query::Circumstances circumstances(const event::Event& event) {
  match::Query::Circumstances fields;
  if (event.time != WallTime{}) {
    add(fields, sigma::Field::time, fmt::format("{:%FT%TZ}", std::chrono::floor<std::chrono::seconds>(event.time)));
  }
  if (event.dns && event.dns->server) {
    add(fields, sigma::Field::server_address, event.dns->server->ip);
    add(fields, sigma::Field::server_port, std::to_string(event.dns->server->port));
  }
  if (event.dns && event.dns->source) {
    add(fields, sigma::Field::source_address, event.dns->source->ip);
    add(fields, sigma::Field::source_port, std::to_string(event.dns->source->port));
  }
  if (event.process) add_process(fields, *event.process);
  if (event.container) {
    add(fields, sigma::Field::container_id, event.container->id);
    add(fields, sigma::Field::container_name, event.container->name);
    add(fields, sigma::Field::container_image, event.container->image);
  }
  if (event.pod) {
    add(fields, sigma::Field::pod_name, event.pod->name);
    add(fields, sigma::Field::pod_namespace, event.pod->namespace_name);
  }
  return fields;
}

Result<match::Query> query_of(const event::Event& event) {
  if (!event.dns) return fail(ErrorClass::invalid, "the event is about no lookup");
  const event::Dns& dns = *event.dns;
  Result<match::Query> query = is_wire_name(dns.query_wire)
                                   ? Result<match::Query>(match::Query::of_wire(dns.query_wire))
                                   : match::Query::of_name(dns.query);
  if (!query) return query;
  if (dns.record_type_id) {
    query->set_record_type(*dns.record_type_id);
  } else if (dns.record_type == "A+AAAA") {
    query->set_values("record_type", {"A", "AAAA"});
  }
  if (dns.rcode) query->set_rcode(*dns.rcode);
  for (const std::string& answer : dns.answers) query->add(sigma::Field::answer, answer);
  query->describe_with([&event] { return circumstances(event); });
  return query;
}

void add_response(match::Query& query, const DnsResponse& response) {
  query.set_rcode(response.rcode);
  for (const std::string& answer : response.answers) query.add(sigma::Field::answer, answer);
}

void describe_response(event::Event& event, const Awaiting& query, const Answer* answer) {
  if (event.duplicate_of.empty() && query.reported) event.duplicate_of = event.event_id;
  event.rules.clear();
  event.alert.reset();
  event.action = event::Action::unspecified;
  event.kind = answer != nullptr ? event::Kind::response : event::Kind::match;
  if (answer == nullptr) return;
  event.dns->rcode = answer->response.rcode;
  event.dns->answers = answer->response.answers;
  event.dns->latency = std::chrono::nanoseconds(static_cast<std::int64_t>(answer->time - query.time));
}

}  // namespace nslookout::agent
