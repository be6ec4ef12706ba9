// The agent: rules and lists in, events out. Loads the rules, starts the kernel side, verifies each candidate against
// the full rules, describes its sender, and writes events until SIGTERM or SIGINT, which drains and returns.
//
// Thread rule: one run at a time per process; it changes the process's handlers of SIGTERM, SIGINT, SIGHUP and
// SIGUSR1 (which opens the files of the outputs anew).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "agent/sources.h"
#include "base/result.h"
#include "history/store.h"
#include "identity/containers.h"

namespace nslookout::agent {

struct RunOptions {
  std::vector<std::string> rules;    // files or directories
  std::vector<std::string> lists;    // exact:FILE, suffix:FILE
  std::vector<std::string> outputs;  // specifications of sink/sink.h
  std::string backend = "auto";
  std::string mode = "audit";              // audit, dry-run, enforce
  BlockOptions block;                      // of the other two modes
  std::string answer = "nxdomain";         // to what is blocked: nxdomain, refused, none
  std::string fail = "open";               // what becomes of blocking when the agent ends: open, closed
  std::string hidden_clients = "auto";     // auto, observe, deny
  std::string bypass = "on";               // ways around the sensor are watched: on, off
  std::string resolvers;                   // file of public resolvers; empty: the list that is built in
  std::vector<std::string> own_resolvers;  // addresses that this host may ask, beside those of its resolv.conf
  std::string observe = "matches";         // matches, all, unique
  std::uint32_t observe_rate = 1000;       // of one process, a second, that nothing matches; 0: any number
  bool responses = false;                  // the response to each reported query, too
  std::string history;                     // file of the history; empty: none
  std::uint64_t history_rows = history::default_max_rows;
  std::chrono::nanoseconds hunt_back{0};  // new rules are held against so much of the history; 0: they are not
  std::string ready_file;                 // empty: none
  std::string metrics;                    // ADDRESS:PORT of health/http_server.h; empty: none
  std::string status_socket;              // empty: the usual one, if it can be had; "none"
  std::string revision;                   // that the binary was built from, for others to see
  std::vector<std::uint16_t> ports = {53};
  RuleLoading rule_loading;
  identity::RuntimeOptions runtimes;
  std::size_t ring_octets = 16u << 20;
  std::uint32_t process_entries = 16384;
  std::string proc = "/proc";   // of the initial pid namespace
  bool sandbox = true;          // give up what a running agent does not need (confinement.h)
  bool allow_writable = false;  // rules and lists that any user may write
};

// What run() refuses of the options themselves: addresses, the list of resolvers, rules and lists that any user may write. The rules
// and lists are not read. Errors: usage, invalid.
[[nodiscard]] Result<void> check_options(const RunOptions& options);

// Errors before anything is attached: invalid (rules, lists), usage (outputs), unsupported (kernel, privilege).
[[nodiscard]] Result<void> run(const RunOptions& options);

}  // namespace nslookout::agent
