/* The embedded BPF objects: each is the ELF file from its symbol to its _end symbol. */
#pragma once

#ifdef __cplusplus
extern "C" {
#endif

extern const unsigned char nsl_object_cgroup[], nsl_object_cgroup_end[];
extern const unsigned char nsl_object_sendmsg_fentry[], nsl_object_sendmsg_fentry_end[];
extern const unsigned char nsl_object_sendmsg_kprobe[], nsl_object_sendmsg_kprobe_end[];
extern const unsigned char nsl_object_process[], nsl_object_process_end[];
extern const unsigned char nsl_object_seed[], nsl_object_seed_end[];
extern const unsigned char nsl_object_unix_clients[], nsl_object_unix_clients_end[];
extern const unsigned char nsl_object_unix_clients_fentry[], nsl_object_unix_clients_fentry_end[];
extern const unsigned char nsl_object_unix_connect[], nsl_object_unix_connect_end[];
extern const unsigned char nsl_object_bypass[], nsl_object_bypass_end[];
extern const unsigned char nsl_object_sockets[], nsl_object_sockets_end[];
extern const unsigned char nsl_object_ingress[], nsl_object_ingress_end[];

#ifdef __cplusplus
}
#endif
