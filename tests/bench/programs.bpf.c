// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The programs that the sensor is measured against, and the sensor's own once more, in one object:
 *
 *   bench_empty        the floor: what running any program costs
 *   bench_plain_hash   the plain way: a 64-bit hash for each suffix, each looked up in a hash map
 *   bench_sensor       nsl_egress, compiled from the sensor's own source
 *   bench_bloom …      those of other_ways.bpf.h
 *
 * BPF_PROG_TEST_RUN runs a program many times on the same packet, and what was read once is in the CPU's caches. So all
 * but the first read the name through a salt: with a step of 0 it is the packet's name, with another step a new name at each
 * run, of the same shape. Both pay the same few instructions for it.
 */
#include "bpf/kernel_types.bpf.h"

#include "bpf/reader.bpf.h"

#include "salt.h"

struct bench_salt bench_salt;

NSL_INLINE int bench_read64(const struct nsl_reader* reader, nsl_u64 at, nsl_u64* value) {
  if (nsl_read64(reader, at, value)) return -1;
  if (reader->mode == NSL_READ_PACKET && at >= bench_salt.from && at < bench_salt.to) *value ^= bench_salt.value;
  return 0;
}

NSL_INLINE void bench_next_name(void) { bench_salt.value += bench_salt.step; }

nsl_u64 bench_hits; /* of all but the sensor */

/* The parser and the matcher below read with the salt. */
#define nsl_read64 bench_read64

/* The measured packets are UDP. What follows TCP streams is not called: with the salt it takes more stack than there is. */
#include "bpf/egress.bpf.h"
#include "bpf/tcp.bpf.h"
#define nsl_tcp(skb, transport) 0

/* So that it can be called: a program is no function that another may call. */
__attribute__((always_inline)) int nsl_egress(struct __sk_buff* skb);
#include "bpf/cgroup.bpf.c"

SEC("cgroup_skb/egress")
int bench_sensor(struct __sk_buff* skb) {
  bench_next_name();
  return nsl_egress(skb);
}

SEC("cgroup_skb/egress")
int bench_empty(struct __sk_buff* skb) { return 1; }

#include "other_ways.bpf.h"

struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, 1); /* user space sets the size before loading */
  __type(key, nsl_u64);
  __type(value, nsl_u64);
} bench_names SEC(".maps");

NSL_INLINE void bench_look_up(nsl_u64 key, bool bloom) {
  if (bloom && bpf_map_peek_elem(&bench_bloom_names, &key)) return;
  if (bpf_map_lookup_elem(&bench_names, &key)) bench_hits++;
}

NSL_INLINE int bench_hash_each_suffix(struct __sk_buff* skb, bool bloom) {
  struct nsl_packet packet = {};
  struct nsl_labels labels;

  bench_next_name();
  if (nsl_find_transport(skb, &packet) || packet.protocol != IPPROTO_UDP || packet.destination_port != 53) return 1;

  const struct nsl_reader reader = {
      .mode = NSL_READ_PACKET,
      .octets = (const nsl_u8*)(long)skb->data + (packet.payload & 0x7FF),
      .end = (const nsl_u8*)(long)skb->data_end,
  };

  if (!nsl_query_questions(&reader) || nsl_find_labels(&reader, NSL_DNS_HEADER, &labels)) return 1;

  struct nsl_walk walk = nsl_walk_start(&labels, 0, 0);

  for (int i = 0; i < NSL_WALK_LABELS && walk.label; i++) {
    if (nsl_walk_label(&reader, NSL_DNS_HEADER, &walk)) break;
    bench_look_up(walk.hash.first | NSL_NAME_KINDS, bloom);
  }
  return 1;
}

SEC("cgroup_skb/egress")
int bench_plain_hash(struct __sk_buff* skb) { return bench_hash_each_suffix(skb, false); }

SEC("cgroup_skb/egress")
int bench_bloom(struct __sk_buff* skb) { return bench_hash_each_suffix(skb, true); }
