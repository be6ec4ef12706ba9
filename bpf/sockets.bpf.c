// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Open sockets that get frames past every hook (packet and XDP sockets), and raw ones that were there before the sensor: an
 * iterator over the open files of all processes, in all network namespaces, run now and then. Linux 5.8 has it; an object
 * of its own, since it may be refused.
 */
#include "bypass.bpf.h"

#define NSL_AF_INET   2
#define NSL_AF_INET6  10
#define NSL_AF_PACKET 17
#define NSL_AF_XDP    44

#define NSL_FILE_TYPE 0170000 /* S_IFMT, S_IFSOCK of stat(2) */
#define NSL_SOCKET    0140000

struct socket {
	short type;
	struct sock *sk;
} nsl_core;

struct bpf_iter_meta;

struct bpf_iter__task_file {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
	nsl_u32 fd;
	struct file *file;
} nsl_core;

SEC("iter/task_file")
int nsl_look_at_file(struct bpf_iter__task_file *context)
{
	struct task_struct *task = context->task;
	const struct nsl_address nowhere = {};
	struct file *file = context->file;
	struct socket *socket;
	nsl_u16 family, protocol;
	struct sock *sock;

	if (!task || !file || (BPF_CORE_READ(file, f_inode, i_mode) & NSL_FILE_TYPE) != NSL_SOCKET)
		return 0;
	socket = BPF_CORE_READ(file, private_data);
	sock = BPF_CORE_READ(socket, sk);
	if (!sock)
		return 0;
	family = BPF_CORE_READ(sock, __sk_common.skc_family);
	if (family == NSL_AF_PACKET || family == NSL_AF_XDP) {
		nsl_tell_bypass(task, NSL_PACKET_SOCKET, &nowhere, 0, 0);
		return 0;
	}
	if ((family != NSL_AF_INET && family != NSL_AF_INET6) || BPF_CORE_READ(socket, type) != NSL_RAW)
		return 0;
	protocol = BPF_CORE_READ(sock, __sk_common.skc_num); /* of a raw socket: its protocol */
	if (!nsl_is_icmp(protocol))
		nsl_tell_bypass(task, NSL_RAW_SOCKET, &nowhere, protocol, 0);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
