/* The parts of the kernel's own structures that the programs read, declared by hand: CO-RE finds the real offsets at load
 * time from the running kernel's BTF, so neither order nor completeness matters and no architecture is pinned. Only
 * members whose name and meaning are the same on every supported kernel (5.10 to 7.x) stand here; what changed over time
 * is in compat.bpf.h.
 */
#pragma once

#include <linux/bpf.h>
#include <linux/types.h>

#define nsl_core __attribute__((preserve_access_index))

typedef int pid_t;
typedef unsigned char bool;
#define true  1
#define false 0

struct qstr {
	union {
		struct {
			__u32 hash;
			__u32 len;
		};
		__u64 hash_len;
	};
	const unsigned char *name;
} nsl_core;

struct dentry {
	struct dentry *d_parent;
	struct qstr d_name;
	struct inode *d_inode;
} nsl_core;

struct super_block {
	__u32 s_dev;
} nsl_core;

struct inode {
	unsigned short i_mode;
	unsigned int i_nlink;
	unsigned long i_ino;
	struct super_block *i_sb;
} nsl_core;

struct vfsmount {
	struct dentry *mnt_root;
} nsl_core;

struct mount {
	struct mount *mnt_parent;
	struct dentry *mnt_mountpoint;
	struct vfsmount mnt;
} nsl_core;

struct path {
	struct vfsmount *mnt;
	struct dentry *dentry;
} nsl_core;

struct file {
	struct path f_path;
	struct inode *f_inode;
	void *private_data;
} nsl_core;

struct task_struct;

struct mm_struct {
	struct file *exe_file;
	struct task_struct *owner; /* CONFIG_MEMCG */
	unsigned long arg_start, arg_end, env_start, env_end;
} nsl_core;

typedef struct {
	unsigned int val;
} nsl_kuid;

struct cred {
	nsl_kuid uid, gid;
} nsl_core;

struct kernfs_node {
	const char *name;
	__u64 id;
} nsl_core;

struct cgroup {
	struct kernfs_node *kn;
} nsl_core;

struct cgroup_subsys_state {
	struct cgroup *cgroup;
} nsl_core;

struct css_set {
	struct cgroup_subsys_state *subsys[1]; /* as many as there are controllers */
	struct cgroup *dfl_cgrp;
} nsl_core;

struct fs_struct {
	struct path pwd;
} nsl_core;

struct ns_common {
	unsigned int inum;
} nsl_core;

struct net {
	struct ns_common ns;
} nsl_core;

struct nsproxy {
	struct net *net_ns;
} nsl_core;

struct pid_namespace {
	unsigned int level;
} nsl_core;

struct upid {
	int nr;
	struct pid_namespace *ns;
} nsl_core;

struct pid {
	unsigned int level;
	struct upid numbers[1];
} nsl_core;

struct signal_struct {
	struct pid *pids[4]; /* PIDTYPE_PID, _TGID, _PGID, _SID */
} nsl_core;

struct task_struct {
	unsigned int flags;
	pid_t pid, tgid;
	__u64 start_boottime;
	__u64 self_exec_id;
	struct task_struct *group_leader;
	struct task_struct *real_parent;
	struct mm_struct *mm;
	const struct cred *cred;
	struct fs_struct *fs;
	struct css_set *cgroups;
	struct nsproxy *nsproxy;
	struct pid *thread_pid;
	struct signal_struct *signal;
	char comm[16];
} nsl_core;

struct linux_binprm {
	const char *filename; /* what exec was given */
	const char *interp;   /* what runs it: the same, except for a script */
} nsl_core;

/* sockets: fentry and kprobe backends */

struct in6_addr_kernel {
	__u8 octets[16];
};

#define NSL_ESTABLISHED 1 /* skc_state of a connected socket, UDP or TCP */

struct sock_common {
	__u32 skc_daddr;
	__u32 skc_rcv_saddr;
	__u16 skc_dport; /* network order */
	__u16 skc_num;	 /* host order */
	unsigned short skc_family;
	volatile unsigned char skc_state;
	struct in6_addr_kernel skc_v6_daddr;
	struct in6_addr_kernel skc_v6_rcv_saddr;
} nsl_core;

struct sock {
	struct sock_common __sk_common;
	struct {
		int owned;
	} sk_lock;
} nsl_core;

/* A datagram that is begun and not sent yet: where it goes, and UDP_SEGMENT as it was when it began. */
union flowi_uli {
	struct {
		__u16 dport; /* network order */
	} ports;
} nsl_core;

struct flowi4 {
	__u32 daddr;
	union flowi_uli uli;
} nsl_core;

struct flowi6 {
	struct in6_addr_kernel daddr;
	union flowi_uli uli;
} nsl_core;

struct flowi {
	union {
		struct flowi4 ip4;
		struct flowi6 ip6;
	} u;
} nsl_core;

struct inet_cork {
	__u16 gso_size;
} nsl_core;

struct inet_cork_full {
	struct inet_cork base;
	struct flowi fl;
} nsl_core;

struct inet_sock {
	struct sock sk;
	__u32 inet_saddr;
	__u16 inet_sport; /* network order */
	struct inet_cork_full cork;
} nsl_core;

struct sk_buff {
	struct sock *sk;
	unsigned char *data;
	unsigned int len, data_len;
} nsl_core;

struct udp_sock {
	struct inet_sock inet;
	int pending; /* family of the datagram that is begun, or 0 */
	__u16 gso_size;
	__u16 len; /* octets of the datagram that is begun, the UDP header among them */
} nsl_core;

struct inet_connection_sock {
	struct inet_sock icsk_inet;
} nsl_core;

struct tcp_sock {
	struct inet_connection_sock inet_conn;
} nsl_core;

struct cmsghdr_kernel {
	__u64 length;
	int level;
	int type;
};

struct iovec_kernel {
	void *base;
	__u64 length;
};

/* What did not move; the rest is in compat.bpf.h. */
struct iov_iter {
	__u64 iov_offset;
	__u64 count;
} nsl_core;

struct msghdr {
	void *msg_name;
	int msg_namelen;
	struct iov_iter msg_iter;
	unsigned int msg_flags;
	void *msg_control;
	__u64 msg_controllen;
} nsl_core;
