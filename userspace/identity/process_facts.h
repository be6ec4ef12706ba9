// Facts about a program in a process, from the kernel's table and from /proc, put into an event's Process.
// Rule: the kernel's word counts; /proc adds what the kernel had no room for, where it does not contradict.
// Thread rule: any thread.
#pragma once

#include "bpf/abi.h"
#include "event/event.h"
#include "identity/proc_process.h"

namespace nslookout::identity {

// All that the entry knows but the ids (process.pid must be set); what is there already and may have changed since the
// entry was made (comm) stays.
void add_entry(event::Process& process, const nsl_process& entry);

// Whether the executable or the command line is missing or cut.
[[nodiscard]] bool is_incomplete(const event::Process& process);

// What /proc has of the executable and the command line, where the kernel had none or a part of it. The path must end as the
// kernel's does; a process may have written over its arguments, so a longer line must begin with what exec was given.
void complete_from(const ProcProcess& live, event::Process& process);

// Likewise, and only if the program is the one with process.comm, before the reading and after it: whether it is.
bool complete_if_same_program(const ProcProcess& live, event::Process& process);

}  // namespace nslookout::identity
