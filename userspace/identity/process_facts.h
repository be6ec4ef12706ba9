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

// The path as /proc has it is taken where the kernel had none, or had only its end.
void complete_executable(event::Process& process, const ProcProcess& live);

// Likewise; a process may have written over its arguments, so a longer line must begin with what exec was given.
void complete_command_line(event::Process& process, const ProcProcess& live);

}  // namespace nslookout::identity
