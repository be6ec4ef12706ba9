// Events that several tests use.
#pragma once

#include <chrono>

#include "event/event.h"

namespace nslookout::event {

// Every field of the schema is set, each to a value of its own.
inline Event full_event() {
  Event event;
  event.event_id = "019a0000-0000-7000-8000-000000000001";
  event.time = WallTime{std::chrono::nanoseconds{1'774'915'200'123'456'789}};
  event.sequence = 9'007'199'254'740'993;  // 2^53 + 1: no double holds it
  event.alert = false;
  event.duplicate_of = "019a0000-0000-7000-8000-000000000000";
  event.kind = Kind::match;
  event.action = Action::would_block;
  Dns& dns = event.dns.emplace();
  dns.query = "sfrclak.com";
  dns.query_wire = std::string("\7SfRcLaK\3cOm\0", 13);
  dns.record_type = "A";
  dns.record_type_id = 1;
  dns.id = 0;
  dns.transport = "udp";
  dns.server = Endpoint{"127.0.0.77", 53};
  dns.source = Endpoint{"2001:db8::1", 40000};
  dns.rcode = 0;
  dns.answers = {"203.0.113.7", "203.0.113.8"};
  dns.latency = std::chrono::microseconds{1500};
  dns.wire_port = 40053;
  dns.question_count = 2;
  dns.expanded_from = "sfrclak";
  dns.search_suffix = "com";
  Process& process = event.process.emplace();
  process.pid = 4711;
  process.tid = 4712;
  process.start_time = WallTime{std::chrono::nanoseconds{1'774'915'199'000'000'001}};
  process.comm = "curl";
  process.thread_comm = "resolver";
  process.executable = "/usr/bin/curl";
  process.command_line = {"curl", "", "https://sfrclak.com"};
  process.cwd = "/srv";
  process.uid = 0;
  process.user = "root";
  process.gid = 0;
  process.group = "root-group";
  process.parent_pid = 0;
  process.session = 42;
  process.ancestors.emplace_back().pid = 4000;
  process.ancestors.back().comm = "node";
  process.cgroup = "/system.slice/run.scope";
  process.cgroup_id = 18'446'744'073'709'551'615ULL;
  process.executable_deleted = true;
  process.executable_truncated = true;
  process.command_line_truncated = true;
  process.namespace_pid = 7;
  process.sender_from_socket = true;
  process.ancestors_truncated = true;
  process.script = "./postinstall.sh";
  event.origin =
      Origin{.package = Package{"npm", "plain-crypto-js", "4.2.1", "postinstall", "/srv/node_modules/p"},
             .ci = Ci{"github-actions", "o/r", "build", "checks", "test", "install", "o/a@v1", "99", "7", "2"}};
  event.container = Container{"cafe", "docker", "web", "nginx:1"};
  event.pod = Pod{"default", "web-0", "uid-1", {{"app", "web"}}};
  event.host = Host{"box", "boot", "6.1.0"};
  event.rules.push_back(
      {"id-1", "Title", "high", {"attack.t1195"}, {"https://example.test/"}, "axios.yml", {{"query", "sfrclak.com"}}});
  event.sensor = SensorInfo{"0.1.0", "cgroup", "audit"};
  event.losses = {{"ring_full", 12, "stdout"}};
  event.role = Role::forwarder;
  event.client_hidden = true;
  event.from_history = true;
  return event;
}

// A match as small as one can be, told from others by its query.
inline Event small_event(std::string query) {
  Event event;
  event.event_id = "019a0000-0000-7000-8000-000000000002";
  event.kind = Kind::match;
  event.alert = true;
  event.dns.emplace().query = std::move(query);
  return event;
}

}  // namespace nslookout::event
