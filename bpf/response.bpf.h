/* DNS responses on their way in, each held against the queries that are waited for and, where one is, handed over with its
 * octets. Nothing here looks at the current task: the receive path runs wherever the packet came.
 */
#pragma once

#include "awaited.bpf.h"
#include "counters.bpf.h"
#include "packet.bpf.h"
#include "settings.bpf.h"

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096); /* user space sets the size before loading */
} nsl_responses SEC(".maps");

struct nsl_short_response {
	struct nsl_response head;
	nsl_u8 octets[NSL_RESPONSE_SHORT];
};

struct nsl_long_response {
	struct nsl_response head;
	nsl_u8 octets[NSL_RESPONSE_MAX];
};

/* What a response in this packet would be to, but for its id. The exchange is zero before. */
NSL_INLINE void nsl_fill_exchange(struct nsl_exchange *exchange, struct __sk_buff *skb, const struct nsl_packet *packet)
{
	nsl_u8 own[16] = {};

	exchange->socket = nsl_socket_name(skb);
	exchange->server_port = packet->source_port;
	exchange->family = packet->family;
	exchange->transport = packet->protocol == IPPROTO_TCP ? NSL_TCP : NSL_UDP;
	nsl_read_addresses(skb, packet->family, exchange->server, own);
}

NSL_INLINE bool nsl_is_awaited(const struct nsl_exchange *exchange)
{
	const nsl_u64 *sent = bpf_map_lookup_elem(&nsl_awaited, exchange);

	return sent && bpf_ktime_get_boot_ns() - *sent <= NSL_RESPONSE_WAIT * 1000000000ull;
}

/* As for candidates: the reader is woken at each response, or once enough is unread. */
NSL_INLINE nsl_u64 nsl_response_wakeup(void)
{
	if (!nsl_settings.wakeup_octets)
		return 0;
	return bpf_ringbuf_query(&nsl_responses, BPF_RB_AVAIL_DATA) >= nsl_settings.wakeup_octets ? BPF_RB_FORCE_WAKEUP
												  : BPF_RB_NO_WAKEUP;
}

NSL_INLINE void nsl_fill_response(struct nsl_response *head, const struct nsl_exchange *exchange, nsl_u32 length,
				  nsl_u32 full_length)
{
	head->exchange = *exchange;
	head->boottime = bpf_ktime_get_boot_ns();
	head->length = length;
	head->full_length = full_length;
}

/* Copies the message at offset at into a record of a type that has room for it. room: a constant, a power of two. */
#define NSL_HAND_OVER_RESPONSE(record_type, room, skb, at, length, exchange)                  \
	({                                                                                    \
		record_type *record = bpf_ringbuf_reserve(&nsl_responses, sizeof *record, 0); \
		nsl_u32 kept = (length) < (room) ? (length) : (room);                         \
                                                                                              \
		if (!record) {                                                                \
			nsl_count(NSL_COUNT_response_ring_full);                              \
		} else {                                                                      \
			NSL_FORGET(kept);                                                     \
			kept = ((kept - 1) & ((room) - 1)) + 1;                               \
			if (bpf_skb_load_bytes(skb, at, record->octets, kept)) {              \
				bpf_ringbuf_discard(record, 0);                               \
			} else {                                                              \
				nsl_fill_response(&record->head, exchange, kept, length);     \
				bpf_ringbuf_submit(record, nsl_response_wakeup());            \
				nsl_count(NSL_COUNT_responses);                               \
			}                                                                     \
		}                                                                             \
	})

NSL_INLINE void nsl_hand_over_response(struct __sk_buff *skb, nsl_u32 at, nsl_u32 length,
				       const struct nsl_exchange *exchange)
{
	if (length > NSL_RESPONSE_MAX)
		nsl_count(NSL_COUNT_response_cut);
	if (length <= NSL_RESPONSE_SHORT)
		NSL_HAND_OVER_RESPONSE(struct nsl_short_response, NSL_RESPONSE_SHORT, skb, at, length, exchange);
	else
		NSL_HAND_OVER_RESPONSE(struct nsl_long_response, NSL_RESPONSE_MAX, skb, at, length, exchange);
}

/* Looks at the message at offset at, all of which is in the packet. */
NSL_INLINE void nsl_take_response(struct __sk_buff *skb, nsl_u32 at, nsl_u32 length, struct nsl_exchange *exchange)
{
	nsl_u8 header[4];

	if (length < NSL_DNS_HEADER || bpf_skb_load_bytes(skb, at, header, sizeof header) ||
	    !(header[2] & 0x80)) /* QR */
		return;
	exchange->id = (nsl_u16)(header[0] << 8 | header[1]);
	if (nsl_is_awaited(exchange))
		nsl_hand_over_response(skb, at, length, exchange);
	else
		nsl_count(NSL_COUNT_responses_unawaited);
}
