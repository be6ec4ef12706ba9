#include <chrono>
#include <string>
#include <string_view>

#include "base/escape.h"
#include "event/proto.h"

namespace nslookout::event {
namespace {

using std::chrono::nanoseconds;
using std::chrono::seconds;

std::string text(std::string_view octets) { return escape_invalid_utf8(octets); }

template <typename Strings, typename Repeated>
void copy_strings(const Strings& from, Repeated* to) {
  for (const std::string& octets : from) *to->Add() = text(octets);
}

google::protobuf::Timestamp timestamp(WallTime time) {
  const auto whole = std::chrono::floor<seconds>(time);
  google::protobuf::Timestamp out;
  out.set_seconds(whole.time_since_epoch().count());
  out.set_nanos(static_cast<std::int32_t>((time - whole).count()));
  return out;
}

// Both parts carry the same sign, as the schema of Duration demands.
google::protobuf::Duration duration(nanoseconds value) {
  const auto whole = std::chrono::duration_cast<seconds>(value);
  google::protobuf::Duration out;
  out.set_seconds(whole.count());
  out.set_nanos(static_cast<std::int32_t>((value - whole).count()));
  return out;
}

v1::Endpoint to_proto(const Endpoint& endpoint) {
  v1::Endpoint out;
  out.set_ip(text(endpoint.ip));
  out.set_port(endpoint.port);
  return out;
}

v1::Dns to_proto(const Dns& dns) {
  v1::Dns out;
  out.set_query(text(dns.query));
  out.set_query_wire(dns.query_wire);
  out.set_record_type(text(dns.record_type));
  if (dns.record_type_id) out.set_record_type_id(*dns.record_type_id);
  if (dns.id) out.set_id(*dns.id);
  out.set_transport(text(dns.transport));
  if (dns.server) *out.mutable_server() = to_proto(*dns.server);
  if (dns.source) *out.mutable_source() = to_proto(*dns.source);
  if (dns.rcode) out.set_rcode(*dns.rcode);
  copy_strings(dns.answers, out.mutable_answers());
  if (dns.latency) *out.mutable_latency() = duration(*dns.latency);
  out.set_wire_port(dns.wire_port);
  out.set_question_count(dns.question_count);
  out.set_expanded_from(text(dns.expanded_from));
  out.set_search_suffix(text(dns.search_suffix));
  return out;
}

v1::Process to_proto(const Process& process) {
  v1::Process out;
  out.set_pid(process.pid);
  out.set_tid(process.tid);
  if (process.start_time) *out.mutable_start_time() = timestamp(*process.start_time);
  out.set_comm(text(process.comm));
  out.set_thread_comm(text(process.thread_comm));
  out.set_executable(text(process.executable));
  copy_strings(process.command_line, out.mutable_command_line());
  out.set_cwd(text(process.cwd));
  if (process.uid) out.set_uid(*process.uid);
  out.set_user(text(process.user));
  if (process.gid) out.set_gid(*process.gid);
  out.set_group(text(process.group));
  if (process.parent_pid) out.set_parent_pid(*process.parent_pid);
  if (process.session) out.set_session(*process.session);
  for (const Process& ancestor : process.ancestors) *out.add_ancestors() = to_proto(ancestor);
  out.set_cgroup(text(process.cgroup));
  out.set_cgroup_id(process.cgroup_id);
  out.set_executable_deleted(process.executable_deleted);
  out.set_executable_truncated(process.executable_truncated);
  out.set_command_line_truncated(process.command_line_truncated);
  out.set_namespace_pid(process.namespace_pid);
  out.set_sender_from_socket(process.sender_from_socket);
  out.set_ancestors_truncated(process.ancestors_truncated);
  out.set_script(text(process.script));
  return out;
}

v1::Origin to_proto(const Origin& origin) {
  v1::Origin out;
  if (origin.package) {
    v1::Package& package = *out.mutable_package();
    package.set_manager(text(origin.package->manager));
    package.set_name(text(origin.package->name));
    package.set_version(text(origin.package->version));
    package.set_script(text(origin.package->script));
    package.set_path(text(origin.package->path));
  }
  if (origin.ci) {
    v1::Ci& ci = *out.mutable_ci();
    ci.set_system(text(origin.ci->system));
    ci.set_repository(text(origin.ci->repository));
    ci.set_workflow(text(origin.ci->workflow));
    ci.set_stage(text(origin.ci->stage));
    ci.set_job(text(origin.ci->job));
    ci.set_step(text(origin.ci->step));
    ci.set_action(text(origin.ci->action));
    ci.set_run_id(text(origin.ci->run_id));
    ci.set_job_id(text(origin.ci->job_id));
    ci.set_attempt(text(origin.ci->attempt));
  }
  return out;
}

v1::Container to_proto(const Container& container) {
  v1::Container out;
  out.set_id(text(container.id));
  out.set_runtime(text(container.runtime));
  out.set_name(text(container.name));
  out.set_image(text(container.image));
  return out;
}

v1::Pod to_proto(const Pod& pod) {
  v1::Pod out;
  out.set_namespace_(text(pod.namespace_name));
  out.set_name(text(pod.name));
  out.set_uid(text(pod.uid));
  for (const auto& [key, value] : pod.labels) (*out.mutable_labels())[text(key)] = text(value);
  return out;
}

v1::Host to_proto(const Host& host) {
  v1::Host out;
  out.set_name(text(host.name));
  out.set_boot_id(text(host.boot_id));
  out.set_kernel(text(host.kernel));
  return out;
}

v1::Rule to_proto(const Rule& rule) {
  v1::Rule out;
  out.set_id(text(rule.id));
  out.set_title(text(rule.title));
  out.set_level(text(rule.level));
  copy_strings(rule.tags, out.mutable_tags());
  copy_strings(rule.references, out.mutable_references());
  out.set_file(text(rule.file));
  for (const Matched& matched : rule.matched) {
    v1::Matched& to = *out.add_matched();
    to.set_field(text(matched.field));
    to.set_value(text(matched.value));
  }
  return out;
}

v1::Bypass to_proto(const Bypass& bypass) {
  v1::Bypass out;
  out.set_technique(static_cast<v1::Technique>(bypass.technique));
  if (bypass.address) *out.mutable_address() = to_proto(*bypass.address);
  out.set_transport(text(bypass.transport));
  out.set_protocol(bypass.protocol);
  out.set_program(text(bypass.program));
  return out;
}

v1::Sensor to_proto(const SensorInfo& sensor) {
  v1::Sensor out;
  out.set_version(text(sensor.version));
  out.set_backend(text(sensor.backend));
  out.set_mode(text(sensor.mode));
  return out;
}

}  // namespace

v1::Event to_proto(const Event& event) {
  v1::Event out;
  out.set_schema_version(schema_version);
  out.set_event_id(text(event.event_id));
  if (event.time != WallTime{}) *out.mutable_time() = timestamp(event.time);
  out.set_sequence(event.sequence);
  if (event.alert) out.set_alert(*event.alert);
  out.set_duplicate_of(text(event.duplicate_of));
  out.set_kind(static_cast<v1::Kind>(event.kind));
  out.set_action(static_cast<v1::Action>(event.action));
  if (event.dns) *out.mutable_dns() = to_proto(*event.dns);
  if (event.process) *out.mutable_process() = to_proto(*event.process);
  if (event.origin) *out.mutable_origin() = to_proto(*event.origin);
  if (event.container) *out.mutable_container() = to_proto(*event.container);
  if (event.pod) *out.mutable_pod() = to_proto(*event.pod);
  if (event.host) *out.mutable_host() = to_proto(*event.host);
  for (const Rule& rule : event.rules) *out.add_rules() = to_proto(rule);
  if (event.sensor) *out.mutable_sensor() = to_proto(*event.sensor);
  for (const Loss& loss : event.losses) {
    v1::Loss& to = *out.add_losses();
    to.set_stage(text(loss.stage));
    to.set_count(loss.count);
    to.set_output(text(loss.output));
  }
  out.set_role(static_cast<v1::Role>(event.role));
  out.set_client_hidden(event.client_hidden);
  out.set_from_history(event.from_history);
  if (event.bypass) *out.mutable_bypass() = to_proto(*event.bypass);
  return out;
}

}  // namespace nslookout::event
