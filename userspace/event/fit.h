// How long an event may be. What processes chose is cut, since readers cut without asking: journald splits a line that a
// service writes after 48K (LineMax=), and a datagram of syslog takes 64K. A process could else make the line about itself
// one that nobody can parse.
// Thread rule: any thread.
#pragma once

#include <cstddef>

#include "event/event.h"

namespace nslookout::event {

// Octets of the line of JSON (native form) that what processes chose may take; room is left for the forms that say a thing
// twice. Ordinary events have some 6K.
inline constexpr std::size_t max_chosen_octets = 20U << 10;

// An upper bound of what process, ancestors and the names of their package take in the line of JSON.
[[nodiscard]] std::size_t chosen_octets(const Event& event);

// Cuts, only as far as is needed and each with its mark in the event: command lines of ancestors, then the process's own, then
// paths, which keep their end, then the ancestors that are farthest away.
void fit(Event& event);

}  // namespace nslookout::event
