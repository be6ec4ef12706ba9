// What was asked, by whom and how often: the unit of the history, of reports and of comparisons.
//
// Lookups of one name and record type by one program (executable and script), in one package, CI step, container and pod are
// one Lookup, however many processes made them. Texts that are not known are empty, and empty ones are alike.
// Thread rule: values, no sharing.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.h"
#include "event/event.h"

namespace nslookout::inventory {

struct Lookup {
  event::Event event;  // the first of them, whole
  WallTime first;
  WallTime last;
  std::uint64_t count = 0;
  std::vector<event::Rule> rules;                     // that matched any of them, each once
  event::Action action = event::Action::unspecified;  // the strongest: blocked, would_block, audited
};

// What makes lookups one: name, record type, executable, script; the package's manager, name, version and script; the CI
// system, job and step; the container by its image, or else its name, or else its id; the pod's namespace and name.
// As octets they are compared in this order.
using Key = std::array<std::string, 14>;
[[nodiscard]] Key key_of(const event::Event& event);

// The parts of it that people are shown: "/usr/bin/curl", "/bin/sh ./install.sh"; "npm plain-crypto-js 4.2.1 postinstall";
// the container's image, name or id. Empty where nothing is known. Not escaped.
[[nodiscard]] std::string program_of(const event::Event& event);
[[nodiscard]] std::string package_of(const event::Event& event);
[[nodiscard]] std::string container_of(const event::Event& event);

}  // namespace nslookout::inventory
