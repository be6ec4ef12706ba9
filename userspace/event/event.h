// The event as plain values: what the agent fills, what sinks write, what `decode` reads back. The schema and the
// meaning of every field are those of proto/nslookout/v1/event.proto; names here are the same.
//
// Invariant: strings hold octets as they came (hostile ones included); the codec escapes what is not UTF-8. An empty
// string, an empty vector and a disengaged optional stand for "absent".
// Thread rule: values, no sharing.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"

namespace nslookout::event {

inline constexpr std::uint32_t schema_version = 1;

// Begins a path whose components next to the root are missing: ".../bin/curl".
inline constexpr std::string_view cut_away = "...";

// The numbers are those of the schema.
enum class Kind { unspecified = 0, match = 1, query = 2, response = 3, correlation = 4, loss = 5, bypass = 6 };
enum class Role { unspecified = 0, forwarder = 1 };
enum class Action { unspecified = 0, audited = 1, would_block = 2, blocked = 3 };

struct Endpoint {
  std::string ip;  // text form
  std::uint16_t port = 0;
};

struct Dns {
  std::string query;       // presentation form, lower case
  std::string query_wire;  // octets as sent
  std::string record_type;
  std::optional<std::uint16_t> record_type_id;
  std::optional<std::uint16_t> id;
  std::string transport;  // "udp", "tcp", "varlink", "nscd"
  std::optional<Endpoint> server;
  std::optional<Endpoint> source;
  std::optional<std::uint16_t> rcode;
  std::vector<std::string> answers;
  std::optional<std::chrono::nanoseconds> latency;
  std::uint16_t wire_port = 0;
  std::uint16_t question_count = 0;
  std::string expanded_from;  // presentation form, like search_suffix
  std::string search_suffix;
};

struct Process {
  std::uint32_t pid = 0;
  std::uint32_t tid = 0;
  std::optional<WallTime> start_time;
  std::string comm;
  std::string thread_comm;
  std::string executable;
  std::vector<std::string> command_line;
  std::string cwd;
  std::optional<std::uint32_t> uid;
  std::string user;
  std::optional<std::uint32_t> gid;
  std::string group;
  std::optional<std::uint32_t> parent_pid;
  std::optional<std::uint32_t> session;
  std::vector<Process> ancestors;  // nearest first; theirs are empty
  std::string cgroup;
  std::uint64_t cgroup_id = 0;
  bool executable_deleted = false;
  bool executable_truncated = false;
  bool command_line_truncated = false;
  std::uint32_t namespace_pid = 0;
  bool sender_from_socket = false;
  bool ancestors_truncated = false;
  std::string script;
};

struct Package {
  std::string manager, name, version, script, path;
};

struct Ci {
  std::string system, repository, workflow, stage, job, step, action, run_id, job_id, attempt;
};

struct Origin {
  std::optional<Package> package;
  std::optional<Ci> ci;
};

struct Container {
  std::string id, runtime, name, image;
};

struct Pod {
  std::string namespace_name;  // `namespace` in the schema
  std::string name, uid;
  std::map<std::string, std::string> labels;
};

struct Host {
  std::string name, boot_id, kernel;
};

struct Matched {
  std::string field, value;
};

struct Rule {
  std::string id, title, level;
  std::vector<std::string> tags, references;
  std::string file;
  std::vector<Matched> matched;
};

struct SensorInfo {  // `sensor` in the schema
  std::string version, backend, mode;
};

struct Loss {
  std::string stage;
  std::uint64_t count = 0;
  std::string output = {};  // whose stage "sink" it was
};

enum class Technique {
  unspecified = 0,
  dns_over_tls = 1,
  dns_over_https = 2,
  dns_over_quic = 3,
  other_resolver = 4,
  raw_socket = 5,
  packet_socket = 6,
  detached = 7,
};

struct Bypass {
  Technique technique = Technique::unspecified;
  std::optional<Endpoint> address;
  std::string transport;  // "udp", "tcp"
  std::uint32_t protocol = 0;
  std::string program;
};

struct Event {
  std::string event_id;
  WallTime time;  // the epoch: not known
  std::uint64_t sequence = 0;
  std::optional<bool> alert;  // set it wherever there are rules, true or false
  std::string duplicate_of;
  Kind kind = Kind::unspecified;
  Action action = Action::unspecified;
  std::optional<Dns> dns;
  std::optional<Process> process;
  std::optional<Origin> origin;
  std::optional<Container> container;
  std::optional<Pod> pod;
  std::optional<Host> host;
  std::vector<Rule> rules;
  std::optional<SensorInfo> sensor;
  std::vector<Loss> losses;
  Role role = Role::unspecified;
  bool client_hidden = false;
  bool from_history = false;
  std::optional<Bypass> bypass;
};

}  // namespace nslookout::event
