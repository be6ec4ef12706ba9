#include "sink/otlp_record.h"

#include <array>

#include "base/escape.h"
#include "encode/summary.h"
#include "otlp/v1/logs.pb.h"

namespace nslookout::sink {
namespace {

namespace v1 = otlp::v1;
using Attributes = google::protobuf::RepeatedPtrField<v1::KeyValue>;

v1::AnyValue& add(Attributes& attributes, const char* key) {
  v1::KeyValue& pair = *attributes.Add();
  pair.set_key(key);
  return *pair.mutable_value();
}

void add_text(Attributes& attributes, const char* key, std::string_view text) {
  if (!text.empty()) add(attributes, key).set_string_value(escape_invalid_utf8(text));
}

void add_number(Attributes& attributes, const char* key, std::int64_t number) {
  add(attributes, key).set_int_value(number);
}

template <typename Strings>
void add_texts(Attributes& attributes, const char* key, const Strings& texts) {
  if (texts.empty()) return;
  v1::ArrayValue& list = *add(attributes, key).mutable_array_value();
  for (const std::string& text : texts) list.add_values()->set_string_value(escape_invalid_utf8(text));
}

void add_dns(const event::Dns& dns, Attributes& attributes) {
  add_text(attributes, "dns.question.name", dns.query);
  add_text(attributes, "nslookout.dns.record_type", dns.record_type);
  add_texts(attributes, "dns.answers", dns.answers);
  if (dns.transport == "udp" || dns.transport == "tcp") add_text(attributes, "network.transport", dns.transport);
  if (dns.server) {
    add_text(attributes, "server.address", dns.server->ip);
    if (dns.server->port != 0) add_number(attributes, "server.port", dns.server->port);
  }
}

void add_process(const event::Process& process, Attributes& attributes) {
  add_number(attributes, "process.pid", process.pid);
  add_text(attributes, "process.executable.name", process.comm);
  add_text(attributes, "process.executable.path", process.executable);
  add_texts(attributes, "process.command_args", process.command_line);
  if (process.parent_pid) add_number(attributes, "process.parent_pid", *process.parent_pid);
  add_text(attributes, "process.owner", process.user);
}

void add_surroundings(const event::Event& event, Attributes& attributes) {
  if (event.container) {
    add_text(attributes, "container.id", event.container->id);
    add_text(attributes, "container.name", event.container->name);
    add_text(attributes, "container.image.name", event.container->image);
    add_text(attributes, "container.runtime", event.container->runtime);
  }
  if (event.pod) {
    add_text(attributes, "k8s.namespace.name", event.pod->namespace_name);
    add_text(attributes, "k8s.pod.name", event.pod->name);
    add_text(attributes, "k8s.pod.uid", event.pod->uid);
  }
}

void add_rules(const event::Event& event, Attributes& attributes) {
  std::vector<std::string> ids;
  for (const event::Rule& rule : event.rules) ids.push_back(rule.id);
  add_texts(attributes, "nslookout.rule.ids", ids);
  if (const event::Rule* rule = encode::gravest_rule(event); rule != nullptr) {
    add_text(attributes, "nslookout.rule.title", rule->title);
  }
}

struct Severity {
  int number;
  const char* text;
};

// The numbers of the schema's SeverityNumber.
Severity severity_of(const event::Event& event) {
  constexpr std::array<Severity, 6> severities = {
      {{9, "INFO"}, {9, "INFO"}, {10, "INFO2"}, {13, "WARN"}, {17, "ERROR"}, {21, "FATAL"}}};
  if (event.kind == event::Kind::loss) return {13, "WARN"};
  return severities.at(static_cast<std::size_t>(encode::severity(event)));
}

}  // namespace

std::string otlp_record(const event::Event& event, std::string_view line) {
  v1::LogRecord record;
  record.set_time_unix_nano(static_cast<std::uint64_t>(event.time.time_since_epoch().count()));
  record.set_observed_time_unix_nano(record.time_unix_nano());
  const Severity severity = severity_of(event);
  record.set_severity_number(severity.number);
  record.set_severity_text(severity.text);
  record.mutable_body()->set_string_value(std::string(line));
  record.set_event_name("nslookout." + std::string(encode::kind_word(event.kind)));
  Attributes& attributes = *record.mutable_attributes();
  add_text(attributes, "nslookout.event_id", event.event_id);
  if (event.alert) add(attributes, "nslookout.alert").set_bool_value(*event.alert);
  if (event.dns) add_dns(*event.dns, attributes);
  if (event.process) add_process(*event.process, attributes);
  add_surroundings(event, attributes);
  add_rules(event, attributes);
  return record.SerializeAsString();
}

std::string otlp_request(std::span<const std::string> records, const std::string& host_name) {
  v1::ExportRequest request;
  v1::ResourceLogs& logs = *request.add_resource_logs();
  Attributes& resource = *logs.mutable_resource()->mutable_attributes();
  add_text(resource, "service.name", "nslookout");
  add_text(resource, "service.version", NSLOOKOUT_VERSION);
  add_text(resource, "host.name", host_name);
  add_text(resource, "os.type", "linux");
  v1::ScopeLogs& scope = *logs.add_scope_logs();
  scope.mutable_scope()->set_name("nslookout");
  scope.mutable_scope()->set_version(NSLOOKOUT_VERSION);
  for (const std::string& record : records) scope.add_log_records(record);
  return request.SerializeAsString();
}

OtlpAnswer otlp_answer(std::string_view octets) {
  v1::ExportResponse response;
  if (octets.size() > (1u << 20) || !response.ParseFromArray(octets.data(), static_cast<int>(octets.size()))) return {};
  const v1::PartialSuccess& partial = response.partial_success();
  return {partial.rejected_log_records() > 0 ? static_cast<std::uint64_t>(partial.rejected_log_records()) : 0,
          partial.error_message()};
}

}  // namespace nslookout::sink
