/* Lookups that a program asks of a resolver over its Unix socket: systemd-resolved's varlink interface (what nss-resolve
 * speaks) and nscd's. The program sends no DNS query; the resolver's own packet, if there is one, has the resolver as its
 * sender.
 *
 * Every request for a host goes out as the client wrote it, and user space reads the name: such requests are few (each costs
 * the resolver far more than it costs us), and their text has escapes and a structure that are not for a program here.
 * What is not about hosts (nscd's users and groups) stays.
 */
#pragma once

#include "unix_types.bpf.h"

#include "resolver_path.bpf.h"
#include "sender.bpf.h"

#define NSL_AF_UNIX	    1
#define NSL_LISTENS	    10 /* TCP_LISTEN, the state of a listening socket of any family */
#define NSL_NSCD_VERSION    2
#define NSL_NSCD_BY_NAME    4
#define NSL_NSCD_BY_ADDRESS 7
#define NSL_NSCD_ADDRESSES  14

/* The listening socket behind an address: a connection has the listener's address, the very object. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 64);
	__type(key, nsl_u64);	/* struct unix_address * */
	__type(value, nsl_u32); /* the socket's inode */
} nsl_listeners SEC(".maps");

/* Which resolver listens at this address: NSL_VARLINK, NSL_NSCD or 0. */
NSL_INLINE nsl_u32 nsl_resolver_at(const struct unix_address *address)
{
	const char *path =
		(const char *)address + bpf_core_field_offset(struct unix_address, name) + sizeof(unsigned short);

	return address ? nsl_resolver_named(path) : 0;
}

/* The inode of a listening socket. */
NSL_INLINE nsl_u32 nsl_socket_inode(struct sock___unix *sock)
{
	return (nsl_u32)BPF_CORE_READ(sock, sk_socket, file, f_inode, i_ino);
}

/* Whether a request to nscd is about hosts. octets: its first eight. */
NSL_INLINE bool nsl_asks_nscd_for_host(const nsl_u8 *octets)
{
	const nsl_u32 version = *(const nsl_u32 *)octets, type = *(const nsl_u32 *)(octets + 4);

	return version == NSL_NSCD_VERSION &&
	       ((type >= NSL_NSCD_BY_NAME && type <= NSL_NSCD_BY_ADDRESS) || type == NSL_NSCD_ADDRESSES);
}

/* Before its request is handed over, which may be read at once. */
__noinline int nsl_note_client(void)
{
	struct task_struct *task = nsl_current_sender();
	struct nsl_process_key key = {};

	nsl_process_key_of(&key, task);
	nsl_make_process(&key, task, 0);
	return 0;
}

NSL_INLINE void nsl_describe_request(struct nsl_unix_request *request, nsl_u32 resolver, nsl_u32 listener,
				     nsl_u32 length)
{
	__builtin_memset(&request->candidate, 0, sizeof request->candidate);
	request->candidate.boottime = bpf_ktime_get_boot_ns();
	request->candidate.transport = (nsl_u8)resolver;
	request->candidate.listener = listener;
	request->length = length;
	request->reserved = 0;
	nsl_describe_sender(&request->candidate.sender, nsl_current_sender());
}
