/* Other ways to hold names in the kernel that a reader may think of, to be measured beside the sensor; each for the name and
 * every suffix of it, unless it says otherwise:
 *
 *   bench_padded           a hash map keyed by the name itself, padded to 256 octets; the whole name alone
 *   bench_padded_suffixes  the same
 *   bench_lpm              a trie of the longest prefix over the name written backwards: one look-up
 *   bench_bloom            a kernel Bloom filter of 64-bit hashes before the plain hash map (its program is in programs.bpf.c)
 *
 * Included by programs.bpf.c, after the sensor's source. The salt changes keys where it changes what they are looked up by;
 * all names missed are missed with it too.
 */
#pragma once

#define BENCH_NAME 256

struct bench_name_key {
  nsl_u8 octets[BENCH_NAME]; /* lower case; zeros behind */
};

struct bench_lpm_key {
  nsl_u32 bits;
  nsl_u8 octets[BENCH_NAME - 8]; /* the name's octets, the last one first */
};

struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, 1);
  __type(key, struct bench_name_key);
  __type(value, nsl_u64);
} bench_padded_names SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_LPM_TRIE);
  __uint(map_flags, BPF_F_NO_PREALLOC);
  __uint(max_entries, 1);
  __type(key, struct bench_lpm_key);
  __type(value, nsl_u64);
} bench_lpm_names SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_BLOOM_FILTER);
  __uint(max_entries, 1);
  __type(value, nsl_u64);
} bench_bloom_names SEC(".maps");

/* Where the keys are built: more than a stack holds. Test runs do not nest. */
struct bench_scratch {
  nsl_u8 name[2 * BENCH_NAME];
  struct bench_name_key key;
  struct bench_lpm_key lpm;
};

struct {
  __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
  __uint(max_entries, 1);
  __type(key, nsl_u32);
  __type(value, struct bench_scratch);
} bench_scratches SEC(".maps");

struct bench_question {
  struct bench_scratch* scratch;
  nsl_u32 length; /* of the name, the root's octet included; 0: no query */
};

NSL_INLINE struct bench_question bench_read_question(struct __sk_buff* skb) {
  struct bench_question question = {};
  struct nsl_packet packet = {};
  struct nsl_labels labels;
  const nsl_u32 only = 0;

  bench_next_name();
  if (nsl_find_transport(skb, &packet) || packet.protocol != IPPROTO_UDP || packet.destination_port != 53)
    return question;

  const struct nsl_reader reader = {
      .mode = NSL_READ_PACKET,
      .octets = (const nsl_u8*)(long)skb->data + (packet.payload & 0x7FF),
      .end = (const nsl_u8*)(long)skb->data_end,
  };

  if (!nsl_query_questions(&reader) || nsl_find_labels(&reader, NSL_DNS_HEADER, &labels)) return question;
  question.scratch = bpf_map_lookup_elem(&bench_scratches, &only);
  if (!question.scratch) return question;

  nsl_u64 length = labels.length;

  __builtin_memset(question.scratch->name, 0, BENCH_NAME);
  NSL_BOUND(length, 0xFF);
  if (length == 0 ||
      bpf_skb_load_bytes(skb, (packet.payload & 0x7FF) + NSL_DNS_HEADER, question.scratch->name, (nsl_u32)length))
    return question;
  for (nsl_u32 i = 0; i < BENCH_NAME; i++) {
    nsl_u8* octet = &question.scratch->name[i];

    if (i >= length) break;
    if (*octet >= 'A' && *octet <= 'Z') *octet |= 0x20;
  }
  /* Each exit of the loop is a state of its own to the verifier; without this it follows the rest for each. */
  NSL_FORGET(length);
  NSL_BOUND(length, 0xFF);
  question.length = (nsl_u32)length;
  return question;
}

NSL_INLINE void bench_look_up_padded(struct bench_scratch* scratch, nsl_u64 at) {
  nsl_u64* salted = (nsl_u64*)scratch->key.octets;

  NSL_BOUND(at, 0xFF);
  __builtin_memcpy(scratch->key.octets, scratch->name + at, BENCH_NAME);
  *salted ^= bench_salt.value;
  if (bpf_map_lookup_elem(&bench_padded_names, &scratch->key)) bench_hits++;
}

SEC("cgroup_skb/egress")
int bench_padded(struct __sk_buff* skb) {
  const struct bench_question question = bench_read_question(skb);

  if (question.length) bench_look_up_padded(question.scratch, 0);
  return 1;
}

SEC("cgroup_skb/egress")
int bench_padded_suffixes(struct __sk_buff* skb) {
  const struct bench_question question = bench_read_question(skb);
  nsl_u64 at = 0;

  for (int i = 0; question.length && i < NSL_WALK_LABELS; i++) {
    NSL_BOUND(at, 0xFF);
    const nsl_u8 label = question.scratch->name[at];

    if (!label) break;
    bench_look_up_padded(question.scratch, at);
    at += label + 1;
  }
  return 1;
}

SEC("cgroup_skb/egress")
int bench_lpm(struct __sk_buff* skb) {
  const struct bench_question question = bench_read_question(skb);
  struct bench_scratch* scratch = question.scratch;

  if (!question.length) return 1;
  for (nsl_u32 i = 0; i < sizeof scratch->lpm.octets; i++) {
    nsl_u64 from = question.length - 1 - i;

    if (i >= question.length) break;
    NSL_BOUND(from, 0xFF);
    scratch->lpm.octets[i] = scratch->name[from];
  }
  scratch->lpm.bits = question.length * 8;
  /* behind the top-level domain's first octets: every name begins with the root's */
  *(nsl_u32*)(scratch->lpm.octets + 4) ^= (nsl_u32)bench_salt.value;
  if (bpf_map_lookup_elem(&bench_lpm_names, &scratch->lpm)) bench_hits++;
  return 1;
}
