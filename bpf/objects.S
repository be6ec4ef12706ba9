/* The compiled kernel programs, as read-only data of the binary; objects.h declares them. */
	.section .rodata

	.macro object name, file
	.balign 8
	.global nsl_object_\name
nsl_object_\name:
	.incbin "\file"
	.global nsl_object_\name\()_end
nsl_object_\name\()_end:
	.byte 0
	.endm

	object cgroup, "cgroup.bpf.o"
	object sendmsg_fentry, "sendmsg_fentry.bpf.o"
	object sendmsg_kprobe, "sendmsg_kprobe.bpf.o"
	object process, "process.bpf.o"
	object seed, "seed.bpf.o"
	object unix_clients, "unix_clients.bpf.o"
	object unix_clients_fentry, "unix_clients_fentry.bpf.o"
	object unix_connect, "unix_connect.bpf.o"
	object bypass, "bypass.bpf.o"
	object sockets, "sockets.bpf.o"
	object ingress, "ingress.bpf.o"

	.section .note.GNU-stack, "", %progbits
