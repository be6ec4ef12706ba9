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

#include "sender.bpf.h"

#define NSL_AF_UNIX	    1
#define NSL_LISTENS	    10 /* TCP_LISTEN, the state of a listening socket of any family */
#define NSL_RESOLVER_PATH   40 /* octets of the longest path below, in whole words */
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

/* Text of at most eight octets as the word that memory holds. */
#define NSL_WORD(a, b, c, d, e, f, g, h)                                                                   \
	((nsl_u64)(a) | (nsl_u64)(b) << 8 | (nsl_u64)(c) << 16 | (nsl_u64)(d) << 24 | (nsl_u64)(e) << 32 | \
	 (nsl_u64)(f) << 40 | (nsl_u64)(g) << 48 | (nsl_u64)(h) << 56)

/* Which resolver listens at this address: NSL_VARLINK, NSL_NSCD or 0. The paths are those that the resolvers bind. */
NSL_INLINE nsl_u32 nsl_resolver_at(const struct unix_address *address)
{
	const char *path =
		(const char *)address + bpf_core_field_offset(struct unix_address, name) + sizeof(unsigned short);
	nsl_u64 w[NSL_RESOLVER_PATH / 8] = {};

	if (!address || bpf_probe_read_kernel(w, sizeof w, path))
		return 0;
	if (w[0] == NSL_WORD('/', 'r', 'u', 'n', '/', 's', 'y', 's') &&
	    w[1] == NSL_WORD('t', 'e', 'm', 'd', '/', 'r', 'e', 's') &&
	    w[2] == NSL_WORD('o', 'l', 'v', 'e', '/', 'i', 'o', '.') &&
	    w[3] == NSL_WORD('s', 'y', 's', 't', 'e', 'm', 'd', '.') &&
	    w[4] == NSL_WORD('R', 'e', 's', 'o', 'l', 'v', 'e', 0))
		return NSL_VARLINK;
	if (w[0] == NSL_WORD('/', 'v', 'a', 'r', '/', 'r', 'u', 'n') &&
	    w[1] == NSL_WORD('/', 'n', 's', 'c', 'd', '/', 's', 'o') &&
	    (nsl_u32)w[2] == (nsl_u32)NSL_WORD('c', 'k', 'e', 't', 0, 0, 0, 0) && !(w[2] >> 32 & 0xFF))
		return NSL_NSCD;
	if (w[0] == NSL_WORD('/', 'r', 'u', 'n', '/', 'n', 's', 'c') &&
	    w[1] == NSL_WORD('d', '/', 's', 'o', 'c', 'k', 'e', 't') && !(w[2] & 0xFF))
		return NSL_NSCD;
	return 0;
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
