// The work folder of `nslookout ci`: what start, stop and summary tell each other, through files that a person can read.
//
//   events.pb   the events (length-delimited protobuf), the artifact of the job
//   agent.log   what the agent said
//   ready       there while it watches
//   agent.json  which process it is, and how it ended
//
// Invariant: a process is known by its pid and its start time, so that no other one is ever taken for the agent.
// Thread rule: one thread.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/fd.h"
#include "base/result.h"

namespace nslookout::cli {

struct WorkFolder {
  std::string path;

  [[nodiscard]] std::string events() const { return path + "/events.pb"; }
  [[nodiscard]] std::string log() const { return path + "/agent.log"; }
  [[nodiscard]] std::string ready() const { return path + "/ready"; }
  [[nodiscard]] std::string state() const { return path + "/agent.json"; }

  // The folder that was named, absolute, else nslookout in $RUNNER_TEMP. Error: usage.
  [[nodiscard]] static Result<WorkFolder> find(const std::string& named);
  // Makes the folder, for its owner alone, and in it empty files of events and log; of files that are there the owner
  // stays, so that what a job's user made stays readable for that user when the agent runs as root. Errors: runtime.
  [[nodiscard]] Result<void> prepare() const;
};

struct AgentState {
  pid_t pid = 0;
  std::uint64_t start_ticks = 0;
  std::string end;  // empty: it runs; "drained": stopped by `ci stop`; "gone": it had ended by itself before that
};

[[nodiscard]] Result<void> write_state(const WorkFolder& folder, const AgentState& state);
// Error: invalid, when the file is missing or damaged.
[[nodiscard]] Result<AgentState> read_state(const WorkFolder& folder);

// A descriptor of the process (pidfd_open(2)); nothing when it has ended.
[[nodiscard]] std::optional<Fd> open_process(const AgentState& state);
[[nodiscard]] std::optional<std::uint64_t> start_ticks_of(pid_t pid);

// What the agent said last, for a person: its last error, else its last line.
[[nodiscard]] std::string last_words(const WorkFolder& folder);

// Its warnings so far, without "warning: ".
[[nodiscard]] std::vector<std::string> warnings_said(const WorkFolder& folder);

// Appends "NAME=VALUE" lines for later steps of a GitHub job; nothing where there is no $GITHUB_OUTPUT.
[[nodiscard]] Result<void> output_to_github(const std::string& name, const std::string& value);

// Appends text to a file that a CI system named.
[[nodiscard]] Result<void> append_to(const std::string& path, const std::string& text);

}  // namespace nslookout::cli
