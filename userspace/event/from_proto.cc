#include <chrono>
#include <cstdint>
#include <limits>
#include <optional>
#include <utility>

#include "event/proto.h"

namespace nslookout::event {
namespace {

using std::chrono::nanoseconds;

constexpr std::int64_t nanos_per_second = 1'000'000'000;

std::optional<nanoseconds> join(std::int64_t seconds, std::int32_t nanos) {
  std::int64_t total = 0;
  if (__builtin_mul_overflow(seconds, nanos_per_second, &total)) return std::nullopt;
  if (__builtin_add_overflow(total, static_cast<std::int64_t>(nanos), &total)) return std::nullopt;
  return nanoseconds{total};
}

Result<WallTime> wall_time(const google::protobuf::Timestamp& timestamp) {
  const auto since_epoch = join(timestamp.seconds(), timestamp.nanos());
  if (!since_epoch) return fail(ErrorClass::invalid, "a time of {} s since 1970 is out of range", timestamp.seconds());
  return WallTime{*since_epoch};
}

// A port, a record type and the like: 16 bits on the wire, wider in the schema. What does not fit is not one of ours.
std::uint16_t narrow(std::uint32_t value) {
  return value <= std::numeric_limits<std::uint16_t>::max() ? static_cast<std::uint16_t>(value) : 0;
}

Endpoint from_proto(const v1::Endpoint& proto) { return {.ip = proto.ip(), .port = narrow(proto.port())}; }

Result<Dns> from_proto(const v1::Dns& proto) {
  Dns dns;
  dns.query = proto.query();
  dns.query_wire = proto.query_wire();
  dns.record_type = proto.record_type();
  if (proto.has_record_type_id()) dns.record_type_id = narrow(proto.record_type_id());
  if (proto.has_id()) dns.id = narrow(proto.id());
  dns.transport = proto.transport();
  if (proto.has_server()) dns.server = from_proto(proto.server());
  if (proto.has_source()) dns.source = from_proto(proto.source());
  if (proto.has_rcode()) dns.rcode = narrow(proto.rcode());
  dns.answers.assign(proto.answers().begin(), proto.answers().end());
  if (proto.has_latency()) {
    dns.latency = join(proto.latency().seconds(), proto.latency().nanos());
    if (!dns.latency) return fail(ErrorClass::invalid, "a latency of {} s is out of range", proto.latency().seconds());
  }
  dns.wire_port = narrow(proto.wire_port());
  dns.question_count = narrow(proto.question_count());
  dns.expanded_from = proto.expanded_from();
  dns.search_suffix = proto.search_suffix();
  return dns;
}

Result<Process> from_proto(const v1::Process& proto) {
  Process process;
  process.pid = proto.pid();
  process.tid = proto.tid();
  if (proto.has_start_time()) {
    const auto start = wall_time(proto.start_time());
    if (!start) return fail(start.error());
    process.start_time = *start;
  }
  process.comm = proto.comm();
  process.thread_comm = proto.thread_comm();
  process.executable = proto.executable();
  process.command_line.assign(proto.command_line().begin(), proto.command_line().end());
  process.cwd = proto.cwd();
  if (proto.has_uid()) process.uid = proto.uid();
  process.user = proto.user();
  if (proto.has_gid()) process.gid = proto.gid();
  process.group = proto.group();
  if (proto.has_parent_pid()) process.parent_pid = proto.parent_pid();
  if (proto.has_session()) process.session = proto.session();
  for (const v1::Process& nested : proto.ancestors()) {
    auto ancestor = from_proto(nested);
    if (!ancestor) return fail(ancestor.error());
    process.ancestors.push_back(std::move(*ancestor));
  }
  process.cgroup = proto.cgroup();
  process.cgroup_id = proto.cgroup_id();
  process.executable_deleted = proto.executable_deleted();
  process.executable_truncated = proto.executable_truncated();
  process.command_line_truncated = proto.command_line_truncated();
  process.namespace_pid = proto.namespace_pid();
  process.sender_from_socket = proto.sender_from_socket();
  process.ancestors_truncated = proto.ancestors_truncated();
  process.script = proto.script();
  return process;
}

Origin from_proto(const v1::Origin& proto) {
  Origin origin;
  if (proto.has_package()) {
    const v1::Package& package = proto.package();
    origin.package = Package{package.manager(), package.name(), package.version(), package.script(), package.path()};
  }
  if (proto.has_ci()) {
    const v1::Ci& ci = proto.ci();
    origin.ci = Ci{ci.system(), ci.repository(), ci.workflow(), ci.stage(),  ci.job(),
                   ci.step(),   ci.action(),     ci.run_id(),   ci.job_id(), ci.attempt()};
  }
  return origin;
}

Pod from_proto(const v1::Pod& proto) {
  Pod pod{.namespace_name = proto.namespace_(), .name = proto.name(), .uid = proto.uid(), .labels = {}};
  for (const auto& [key, value] : proto.labels()) pod.labels.emplace(key, value);
  return pod;
}

Rule from_proto(const v1::Rule& proto) {
  Rule rule;
  rule.id = proto.id();
  rule.title = proto.title();
  rule.level = proto.level();
  rule.tags.assign(proto.tags().begin(), proto.tags().end());
  rule.references.assign(proto.references().begin(), proto.references().end());
  rule.file = proto.file();
  for (const v1::Matched& matched : proto.matched()) rule.matched.push_back({matched.field(), matched.value()});
  return rule;
}

Bypass from_proto(const v1::Bypass& proto) {
  Bypass bypass{.technique = static_cast<Technique>(proto.technique()),
                .address = {},
                .transport = proto.transport(),
                .protocol = proto.protocol(),
                .program = proto.program()};
  if (proto.has_address()) bypass.address = from_proto(proto.address());
  return bypass;
}

}  // namespace

Result<Event> from_proto(const v1::Event& proto) {
  Event event;
  event.event_id = proto.event_id();
  const auto time = wall_time(proto.time());
  if (!time) return fail(time.error());
  event.time = *time;
  event.sequence = proto.sequence();
  if (proto.has_alert()) event.alert = proto.alert();
  event.duplicate_of = proto.duplicate_of();
  event.kind = static_cast<Kind>(proto.kind());
  event.action = static_cast<Action>(proto.action());
  if (proto.has_dns()) {
    auto dns = from_proto(proto.dns());
    if (!dns) return fail(dns.error());
    event.dns = std::move(*dns);
  }
  if (proto.has_process()) {
    auto process = from_proto(proto.process());
    if (!process) return fail(process.error());
    event.process = std::move(*process);
  }
  if (proto.has_origin()) event.origin = from_proto(proto.origin());
  if (proto.has_container()) {
    const v1::Container& container = proto.container();
    event.container = Container{container.id(), container.runtime(), container.name(), container.image()};
  }
  if (proto.has_pod()) event.pod = from_proto(proto.pod());
  if (proto.has_host()) event.host = Host{proto.host().name(), proto.host().boot_id(), proto.host().kernel()};
  for (const v1::Rule& rule : proto.rules()) event.rules.push_back(from_proto(rule));
  if (proto.has_sensor()) {
    event.sensor = SensorInfo{proto.sensor().version(), proto.sensor().backend(), proto.sensor().mode()};
  }
  for (const v1::Loss& loss : proto.losses()) event.losses.push_back({loss.stage(), loss.count(), loss.output()});
  event.role = static_cast<Role>(proto.role());
  event.client_hidden = proto.client_hidden();
  event.from_history = proto.from_history();
  if (proto.has_bypass()) event.bypass = from_proto(proto.bypass());
  return event;
}

}  // namespace nslookout::event
