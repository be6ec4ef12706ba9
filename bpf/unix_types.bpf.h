/* What is read of Unix sockets, declared as in kernel_types.bpf.h: CO-RE finds the real offsets. The names with ___unix stand
 * for the same structures as those without.
 */
#pragma once

#include "kernel_types.bpf.h"

struct sk_buff_head {
	struct sk_buff *next, *prev;
} nsl_core;

struct inode___unix {
	unsigned long i_ino;
} nsl_core;

struct file___unix {
	struct inode___unix *f_inode;
} nsl_core;

struct socket {
	struct file___unix *file;
	struct sock *sk;
} nsl_core;

struct sock___unix {
	struct sock_common __sk_common;
	struct sk_buff_head sk_receive_queue;
	struct socket *sk_socket;
} nsl_core;

struct sockaddr_un_kernel {
	unsigned short family;
	char path[108];
};

struct unix_address {
	int len; /* of name, in octets */
	struct sockaddr_un_kernel name[1];
} nsl_core;

struct unix_sock {
	struct unix_address *addr;
	struct sock___unix *peer;
} nsl_core;
