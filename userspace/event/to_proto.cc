#include <chrono>
#include <string>
#include <string_view>

#include "base/escape.h"
#include "event/proto.h"

namespace nslookout::event {
namespace {

using std::chrono::nanoseconds;
using std::chrono::seconds;

void assign(std::string& to, std::string_view octets) {
  if (is_utf8(octets)) {
    to = octets;
  } else {
    to = escape_invalid_utf8(octets);
  }
}

// Sets a field through its mutable_…(); an empty one stays unset, which means the same.
template <typename Message>
void put(Message& message, std::string* (Message::*field)(), std::string_view octets) {
  if (!octets.empty()) assign(*(message.*field)(), octets);
}

template <typename Strings, typename Repeated>
void copy_strings(const Strings& from, Repeated* to) {
  for (const std::string& octets : from) assign(*to->Add(), octets);
}

void fill(google::protobuf::Timestamp& out, WallTime time) {
  const auto whole = std::chrono::floor<seconds>(time);
  out.set_seconds(whole.time_since_epoch().count());
  out.set_nanos(static_cast<std::int32_t>((time - whole).count()));
}

// Both parts carry the same sign, as the schema of Duration demands.
void fill(google::protobuf::Duration& out, nanoseconds value) {
  const auto whole = std::chrono::duration_cast<seconds>(value);
  out.set_seconds(whole.count());
  out.set_nanos(static_cast<std::int32_t>((value - whole).count()));
}

void fill(v1::Endpoint& out, const Endpoint& endpoint) {
  put(out, &v1::Endpoint::mutable_ip, endpoint.ip);
  out.set_port(endpoint.port);
}

void fill(v1::Dns& out, const Dns& dns) {
  put(out, &v1::Dns::mutable_query, dns.query);
  out.set_query_wire(dns.query_wire);
  put(out, &v1::Dns::mutable_record_type, dns.record_type);
  if (dns.record_type_id) out.set_record_type_id(*dns.record_type_id);
  if (dns.id) out.set_id(*dns.id);
  put(out, &v1::Dns::mutable_transport, dns.transport);
  if (dns.server) fill(*out.mutable_server(), *dns.server);
  if (dns.source) fill(*out.mutable_source(), *dns.source);
  if (dns.rcode) out.set_rcode(*dns.rcode);
  copy_strings(dns.answers, out.mutable_answers());
  if (dns.latency) fill(*out.mutable_latency(), *dns.latency);
  out.set_wire_port(dns.wire_port);
  out.set_question_count(dns.question_count);
  put(out, &v1::Dns::mutable_expanded_from, dns.expanded_from);
  put(out, &v1::Dns::mutable_search_suffix, dns.search_suffix);
}

void fill(v1::Process& out, const Process& process) {
  out.set_pid(process.pid);
  out.set_tid(process.tid);
  if (process.start_time) fill(*out.mutable_start_time(), *process.start_time);
  put(out, &v1::Process::mutable_comm, process.comm);
  put(out, &v1::Process::mutable_thread_comm, process.thread_comm);
  put(out, &v1::Process::mutable_executable, process.executable);
  copy_strings(process.command_line, out.mutable_command_line());
  put(out, &v1::Process::mutable_cwd, process.cwd);
  if (process.uid) out.set_uid(*process.uid);
  put(out, &v1::Process::mutable_user, process.user);
  if (process.gid) out.set_gid(*process.gid);
  put(out, &v1::Process::mutable_group, process.group);
  if (process.parent_pid) out.set_parent_pid(*process.parent_pid);
  if (process.session) out.set_session(*process.session);
  for (const Process& ancestor : process.ancestors) fill(*out.add_ancestors(), ancestor);
  put(out, &v1::Process::mutable_cgroup, process.cgroup);
  out.set_cgroup_id(process.cgroup_id);
  out.set_executable_deleted(process.executable_deleted);
  out.set_executable_truncated(process.executable_truncated);
  out.set_command_line_truncated(process.command_line_truncated);
  out.set_namespace_pid(process.namespace_pid);
  out.set_sender_from_socket(process.sender_from_socket);
  out.set_ancestors_truncated(process.ancestors_truncated);
  put(out, &v1::Process::mutable_script, process.script);
}

void fill(v1::Origin& out, const Origin& origin) {
  if (origin.package) {
    v1::Package& package = *out.mutable_package();
    put(package, &v1::Package::mutable_manager, origin.package->manager);
    put(package, &v1::Package::mutable_name, origin.package->name);
    put(package, &v1::Package::mutable_version, origin.package->version);
    put(package, &v1::Package::mutable_script, origin.package->script);
    put(package, &v1::Package::mutable_path, origin.package->path);
  }
  if (origin.ci) {
    v1::Ci& ci = *out.mutable_ci();
    put(ci, &v1::Ci::mutable_system, origin.ci->system);
    put(ci, &v1::Ci::mutable_repository, origin.ci->repository);
    put(ci, &v1::Ci::mutable_workflow, origin.ci->workflow);
    put(ci, &v1::Ci::mutable_stage, origin.ci->stage);
    put(ci, &v1::Ci::mutable_job, origin.ci->job);
    put(ci, &v1::Ci::mutable_step, origin.ci->step);
    put(ci, &v1::Ci::mutable_action, origin.ci->action);
    put(ci, &v1::Ci::mutable_run_id, origin.ci->run_id);
    put(ci, &v1::Ci::mutable_job_id, origin.ci->job_id);
    put(ci, &v1::Ci::mutable_attempt, origin.ci->attempt);
  }
}

void fill(v1::Container& out, const Container& container) {
  put(out, &v1::Container::mutable_id, container.id);
  put(out, &v1::Container::mutable_runtime, container.runtime);
  put(out, &v1::Container::mutable_name, container.name);
  put(out, &v1::Container::mutable_image, container.image);
}

void fill(v1::Pod& out, const Pod& pod) {
  put(out, &v1::Pod::mutable_namespace_, pod.namespace_name);
  put(out, &v1::Pod::mutable_name, pod.name);
  put(out, &v1::Pod::mutable_uid, pod.uid);
  for (const auto& [key, value] : pod.labels) assign((*out.mutable_labels())[escape_invalid_utf8(key)], value);
}

void fill(v1::Host& out, const Host& host) {
  put(out, &v1::Host::mutable_name, host.name);
  put(out, &v1::Host::mutable_boot_id, host.boot_id);
  put(out, &v1::Host::mutable_kernel, host.kernel);
}

void fill(v1::Rule& out, const Rule& rule) {
  put(out, &v1::Rule::mutable_id, rule.id);
  put(out, &v1::Rule::mutable_title, rule.title);
  put(out, &v1::Rule::mutable_level, rule.level);
  copy_strings(rule.tags, out.mutable_tags());
  copy_strings(rule.references, out.mutable_references());
  put(out, &v1::Rule::mutable_file, rule.file);
  for (const Matched& matched : rule.matched) {
    v1::Matched& to = *out.add_matched();
    put(to, &v1::Matched::mutable_field, matched.field);
    put(to, &v1::Matched::mutable_value, matched.value);
  }
}

void fill(v1::Bypass& out, const Bypass& bypass) {
  out.set_technique(static_cast<v1::Technique>(bypass.technique));
  if (bypass.address) fill(*out.mutable_address(), *bypass.address);
  put(out, &v1::Bypass::mutable_transport, bypass.transport);
  out.set_protocol(bypass.protocol);
  put(out, &v1::Bypass::mutable_program, bypass.program);
}

void fill(v1::Sensor& out, const SensorInfo& sensor) {
  put(out, &v1::Sensor::mutable_version, sensor.version);
  put(out, &v1::Sensor::mutable_backend, sensor.backend);
  put(out, &v1::Sensor::mutable_mode, sensor.mode);
}

}  // namespace

void fill(v1::Event& out, const Event& event) {
  out.set_schema_version(schema_version);
  put(out, &v1::Event::mutable_event_id, event.event_id);
  if (event.time != WallTime{}) fill(*out.mutable_time(), event.time);
  out.set_sequence(event.sequence);
  if (event.alert) out.set_alert(*event.alert);
  put(out, &v1::Event::mutable_duplicate_of, event.duplicate_of);
  out.set_kind(static_cast<v1::Kind>(event.kind));
  out.set_action(static_cast<v1::Action>(event.action));
  if (event.dns) fill(*out.mutable_dns(), *event.dns);
  if (event.process) fill(*out.mutable_process(), *event.process);
  if (event.origin) fill(*out.mutable_origin(), *event.origin);
  if (event.container) fill(*out.mutable_container(), *event.container);
  if (event.pod) fill(*out.mutable_pod(), *event.pod);
  if (event.host) fill(*out.mutable_host(), *event.host);
  for (const Rule& rule : event.rules) fill(*out.add_rules(), rule);
  if (event.sensor) fill(*out.mutable_sensor(), *event.sensor);
  for (const Loss& loss : event.losses) {
    v1::Loss& to = *out.add_losses();
    put(to, &v1::Loss::mutable_stage, loss.stage);
    to.set_count(loss.count);
    put(to, &v1::Loss::mutable_output, loss.output);
  }
  out.set_role(static_cast<v1::Role>(event.role));
  out.set_client_hidden(event.client_hidden);
  out.set_from_history(event.from_history);
  if (event.bypass) fill(*out.mutable_bypass(), *event.bypass);
}

}  // namespace nslookout::event
