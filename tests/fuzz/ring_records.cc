// What leaves the kernel, with any octets in it: records of the rings, entries of the process table, environments. What is
// made of them is an event that can be written and read back.
//
// Input: an octet with the kind, then the octets of the record or of the structure (its rest is zero).
#include <cstring>
#include <memory>

#include "base/dns_name.h"
#include "base/dns_response.h"
#include "bpf/abi.h"
#include "event/candidate.h"
#include "events.h"
#include "identity/kernel_process.h"
#include "identity/process_facts.h"
#include "kernel/ring_records.h"
#include "match/query.h"
#include "octets.h"

namespace nslookout::fuzz {
namespace {

void check_candidate(const nsl_candidate& candidate) {
  event::Event event;
  event.dns = event::describe_dns(candidate);
  const std::string_view wire = event::wire_name(candidate);
  require(wire.size() <= sizeof candidate.name, "a name is within its record");
  if (is_wire_name(wire)) {
    const match::Query query = match::Query::of_wire(wire);
    require(query.wire() == ascii_lower(wire), "a rule sees the name that was sent");
  }
  event.process.emplace().comm = identity::text_of(candidate.sender.comm);
  event.process->thread_comm = identity::text_of(candidate.sender.thread_comm);
  require_whole(event);
}

void check_record(std::uint8_t kind, std::string_view octets) {
  // aligned as the ring's, and a copy of its own, so that the sanitizer sees a read behind it
  const std::unique_ptr<char[]> copy(new char[octets.size()]);
  std::memcpy(copy.get(), octets.data(), octets.size());
  const std::string_view record(copy.get(), octets.size());
  if (kind == 0) (void)kernel::take_candidates(record, check_candidate);
  if (kind == 1) {
    kernel::take_response(record, [&](const nsl_response& response, std::string_view message) {
      require(message.size() <= response.length && message.size() <= record.size() - sizeof response,
              "a message is within its record");
      (void)parse_dns_response(message);
    });
  }
  if (kind == 2)
    kernel::take_bypass(record, [](const nsl_bypass& bypass) { (void)identity::text_of(bypass.sender.comm); });
}

template <typename Structure>
Structure structure_of(std::string_view octets) {
  Structure structure{};
  std::memcpy(&structure, octets.data(), std::min(octets.size(), sizeof structure));
  return structure;
}

void check_process(const nsl_process& entry) {
  event::Event event;
  identity::add_entry(event.process.emplace(), entry);
  require(event.process->cgroup.empty(), "an entry tells no cgroup's path");
  for (const std::string& argument : event.process->command_line) {
    require(argument.find('\0') == std::string::npos, "no argument has a NUL");
  }
  require_whole(event);
}

void check_environment(const nsl_environment& environment) {
  const std::size_t length = std::min<std::size_t>(environment.length, sizeof environment.text);
  const auto variables = identity::split_variables({environment.text, length});
  for (std::size_t i = 0; i < variables.size(); ++i) {
    require(variables[i].first.find('=') == std::string::npos, "a name ends at the first '='");
    for (std::size_t j = 0; j < i; ++j) require(variables[i].first != variables[j].first, "each name is there once");
  }
}

}  // namespace
}  // namespace nslookout::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* octets, std::size_t size) {
  using namespace nslookout::fuzz;
  Octets input(octets, size);
  const std::uint8_t kind = input.octet() % 5;
  if (kind < 3) check_record(kind, input.rest());
  if (kind == 3) check_process(structure_of<nsl_process>(input.rest()));
  if (kind == 4) check_environment(structure_of<nsl_environment>(input.rest()));
  return 0;
}
