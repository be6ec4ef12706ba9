/* Every structure, enumeration and limit that crosses the boundary between the kernel programs and user space.
 *
 * Included by BPF C (clang -target bpf) and by C++; plain C types of fixed width, no pointers, no implicit padding
 * (each layout is asserted below), host byte order unless a field says "network order".
 */
#pragma once

#ifdef __bpf__
#include <linux/types.h>
typedef __u8 nsl_u8;
typedef __u16 nsl_u16;
typedef __u32 nsl_u32;
typedef __u64 nsl_u64;
#else
#include <stdint.h>
typedef uint8_t nsl_u8;
typedef uint16_t nsl_u16;
typedef uint32_t nsl_u32;
typedef uint64_t nsl_u64;
#endif

#ifdef __cplusplus
#define NSL_STATIC_ASSERT(condition, text) static_assert(condition, text)
#else
#define NSL_STATIC_ASSERT(condition, text) _Static_assert(condition, text)
#endif

/* ---- limits ---------------------------------------------------------------------------------------------------- */

#define NSL_DNS_HEADER	 12  /* RFC 1035 section 4.1.1 */
#define NSL_NAME_MAX	 255 /* octets of a name on the wire, RFC 1035 section 2.3.4 */
#define NSL_LABEL_MAX	 63
#define NSL_LABELS_MAX	 127 /* a label takes two octets at least */
#define NSL_QUESTION_MAX (NSL_DNS_HEADER + NSL_NAME_MAX + 4)
/* questions of one message that are looked at, as far as they lie in its first 512 octets; more make it no DNS query */
#define NSL_QUESTIONS_MAX 8
#define NSL_MESSAGES_MAX  32 /* messages of one send (GSO, TCP segment) that are looked at; the rest is counted */
#define NSL_WALK_LABELS	  8  /* labels, from the right, that the kernel's tables distinguish */
/* 64-bit words of the filter's map: 4 MiB, the largest value of an array on any kernel; room for two million names at 16
 * bits each, denser above */
#define NSL_FILTER_WORDS 524288u
#define NSL_PORTS_MAX	 8   /* DNS ports; 53 unless configured */
#define NSL_COMM	 16  /* TASK_COMM_LEN */
#define NSL_PATHS_MAX	 768 /* octets kept of the paths of an executable and of a working directory, together */
#define NSL_ARGV_MAX	 512 /* octets kept of a command line */
#define NSL_CGROUP_LEAF	 80  /* octets kept of a cgroup's own name: a 64-digit container id with its affixes */

/* ---- the table of names ---------------------------------------------------------------------------------------- */

/* What a listed name stands for. */
#define NSL_NAME_EXACT 1u /* the name itself */
#define NSL_NAME_BELOW 2u /* every name below it, on a label boundary */
/* A search suffix: what comes before it is walked like a name of its own, with one label left out for the second. */
#define NSL_NAME_SEARCH	    4u
#define NSL_NAME_SEARCH_ANY 8u

/* What becomes of the query. An allowed name is not blocked, whatever else holds for it: the name itself, every name below. */
#define NSL_NAME_BLOCK_EXACT 16u
#define NSL_NAME_BLOCK_BELOW 32u
#define NSL_NAME_ALLOW_EXACT 64u
#define NSL_NAME_ALLOW_BELOW 128u

#define NSL_NAME_KINDS 255u /* the bits of those above */

/* An entry: the two independent hashes of a suffix (match.h), the lowest bits of the first replaced by its kinds. 0: empty. */
struct nsl_name {
	nsl_u64 first, second;
};

#define NSL_NAME_BUCKET_ENTRIES 4

/* An element of the table, as names.h reads it: a cache line. */
struct nsl_name_bucket {
	struct nsl_name entries[NSL_NAME_BUCKET_ENTRIES];
};
NSL_STATIC_ASSERT(sizeof(struct nsl_name_bucket) == 64, "layout");

/* ---- the table of texts (texts.h) -------------------------------------------------------------------------------- */

#define NSL_TEXT_CELLS 524288u /* of the automaton's table, two octets each */
#define NSL_TEXT_FOUND 0x8000u /* a cell: one of the texts ends here; any other cell is the number of the next state */

/* What the automaton reads; octets that occur in a text have symbols of their own from NSL_SYMBOL_FIRST_FREE on. */
#define NSL_SYMBOL_OTHER      0u
#define NSL_SYMBOL_DOT	      1u /* between two labels */
#define NSL_SYMBOL_END	      2u /* of the name */
#define NSL_SYMBOL_ESCAPED    3u /* an octet that the presentation form writes with an escape */
#define NSL_SYMBOL_FIRST_FREE 4u

/* ---- a generation ------------------------------------------------------------------------------------------------ */

#define NSL_TYPE_BITS 512u /* record types share a bit modulo this */

/* One generation of tables, as the programs need to know it. Slot 0 or 1 of the generations map; the slot in use is
 * nsl_settings.active_slot, switched by one store. */
struct nsl_generation {
	nsl_u64 seed1, seed2; /* keys of the two hashes; random for each generation */
	nsl_u32 filter_mask;  /* words of the filter in use, minus one; below NSL_FILTER_WORDS */
	nsl_u32 number;	      /* of the generation, copied to every candidate; starts at 1 */
	nsl_u32 every_query;  /* not 0: some rule needs to see every query (the verifier decides) */
	nsl_u32 has_types;    /* not 0: some of record_types is set */
	nsl_u32 text_start;   /* the automaton's state at the beginning of a name */
	nsl_u32 text_shift;   /* a state has 1 << text_shift cells; 0: there are no texts */
	nsl_u32 name_buckets; /* of the table of names */
	nsl_u32 awaited;      /* NSL_REASON_*: a query that leaves for one of these needs its response, too */
	nsl_u64 record_types[NSL_TYPE_BITS /
			     64]; /* a bit for each type that some rule needs to see, whatever the name */
	nsl_u8 text_symbols[256]; /* of the octets of labels */
	/* not 0: some of the names have NSL_NAME_BLOCK_*. Else no query is judged. */
	nsl_u32 blocks;
	nsl_u32 block_unlisted; /* not 0: what no name allows is blocked (and every query is judged) */
	/* not 0: a query can leave for another reason than its name. One word, since every query asks. */
	nsl_u32 further;
	/* bits of nsl_candidate.dns_flags: a query leaves if any of the first is set, or any of the second is not */
	nsl_u16 flags_set, flags_clear;
};
NSL_STATIC_ASSERT(sizeof(struct nsl_generation) == 384, "layout");

/* ---- settings, written by user space while the programs run ---------------------------------------------------- */

/* nsl_settings.responses: of which candidates the response is waited for. */
#define NSL_RESPONSES_NONE   0u
#define NSL_RESPONSES_NEEDED 1u /* of those that nsl_generation.awaited names */
#define NSL_RESPONSES_ALL    2u

/* nsl_settings.mode: what becomes of a query that the tables block. */
#define NSL_MODE_AUDIT	 0u /* it leaves, and nothing is said about it */
#define NSL_MODE_DRY_RUN 1u /* it leaves; its candidate has NSL_FLAG_WOULD_BLOCK */
#define NSL_MODE_ENFORCE 2u /* it does not leave; its candidate has NSL_FLAG_BLOCKED. The cgroup backend alone */

struct nsl_settings {
	nsl_u32 active_slot;   /* 0 or 1 */
	nsl_u32 observe_all;   /* not 0: every query is a candidate */
	nsl_u32 wakeup_octets; /* 0: wake the reader at every candidate; else once this much is unread */
	nsl_u32 port_count;
	nsl_u16 ports[NSL_PORTS_MAX]; /* host order */
	nsl_u32 agent_tgid; /* the agent itself, in the initial pid namespace; reserved for self-observation */
	nsl_u32 responses;  /* NSL_RESPONSES_* */
	nsl_u32 mode;	    /* NSL_MODE_* */
	nsl_u32 reserved;
};
NSL_STATIC_ASSERT(sizeof(struct nsl_settings) == 48, "layout");

/* ---- telemetry (telemetry.bpf.h) --------------------------------------------------------------------------------- */

#define NSL_TELEMETRY_BURST 1000000000ull /* ns: for so long a process may be ahead of its pace */

struct nsl_telemetry {
	nsl_u64 seed1, seed2;  /* random: keys of nsl_told cannot be made to meet */
	nsl_u64 interval;      /* ns between two queries of a process at its pace; 0: as fast as it likes */
	nsl_u32 unique;	       /* not 0: of a program, name and type the first one alone */
	nsl_u32 wakeup_octets; /* as in nsl_settings, of the ring nsl_observed */
};
NSL_STATIC_ASSERT(sizeof(struct nsl_telemetry) == 32, "layout");

/* What nsl_told has of queries that are alike. */
struct nsl_told {
	nsl_u64 count; /* the first one, which left, among them */
	nsl_u64 last;  /* ns since boot */
};
NSL_STATIC_ASSERT(sizeof(struct nsl_told) == 16, "layout");

/* ---- the process table ----------------------------------------------------------------------------------------- */

/* The identity of a program in a process. A reused pid has another start time, and an exec has another number, so an
 * entry is never about somebody else and never changes its meaning. */
struct nsl_process_key {
	nsl_u64 start_boottime; /* ns since boot, time in suspend included: the group leader's start */
	nsl_u32 tgid;		/* in the initial pid namespace */
	nsl_u32 exec_id;	/* task_struct.self_exec_id, low 32 bits */
};
NSL_STATIC_ASSERT(sizeof(struct nsl_process_key) == 16, "layout");

#define NSL_PROCESS_EXE_TRUNCATED   1u
#define NSL_PROCESS_ARGV_TRUNCATED  2u
#define NSL_PROCESS_ARGV_UNREADABLE 4u /* the page was not in memory */
#define NSL_PROCESS_EXE_DELETED	    8u
#define NSL_PROCESS_KERNEL_THREAD   16u
#define NSL_PROCESS_FROM_EXEC	    32u /* written by the exec hook; otherwise at a fork or at the first candidate */
#define NSL_PROCESS_CWD_TRUNCATED   64u
#define NSL_PROCESS_SEEDED	    128u /* older than the programs: written by the task iterator, without a command line */

struct nsl_process {
	struct nsl_process_key parent;
	nsl_u32 uid, gid;	/* real ids, initial user namespace */
	nsl_u32 session;	/* session id, initial pid namespace */
	nsl_u32 namespace_tgid; /* the process's own view of its pid */
	nsl_u64 cgroup_id;	/* of the cgroup v2 (or, on v1, of the default hierarchy) */
	nsl_u64 environment;	/* key of the environments map; 0: there are no variables */
	nsl_u32 flags;		/* NSL_PROCESS_* */
	nsl_u32 reserved;
	nsl_u16 executable_length, cwd_length; /* octets used of paths_reversed: first the one, then the other */
	nsl_u16 argv_length;
	nsl_u16 script_at;   /* where the path of a `#!` script begins in argv; 0: there is none, or it is not known */
	char comm[NSL_COMM]; /* of the group leader when the entry was written */
	char cgroup_leaf[NSL_CGROUP_LEAF]; /* of cgroup v2; where the process is in its root, of version 1 */
	/* A path's components from the leaf to the root, each closed by a '/' ("curl/bin/usr/"): the kernel walks a path
   * in that direction. The root is "/". */
	char paths_reversed[NSL_PATHS_MAX];
	char argv[NSL_ARGV_MAX]; /* as in /proc/PID/cmdline: arguments closed by NUL */
};
NSL_STATIC_ASSERT(sizeof(struct nsl_process) == 16 + 16 + 16 + 8 + 8 + 16 + 80 + 768 + 512, "layout");

/* ---- variables of environments ------------------------------------------------------------------------------------ */

/* Only variables whose name is in the names map are ever copied out of a process: their names, all other octets and all
 * other variables stay where they are. */
#define NSL_VARIABLE_NAME 32   /* octets of a name, padded with zero octets: 31 at most */
#define NSL_VARIABLE_MAX  256  /* octets kept of "NAME=value", the closing NUL included */
#define NSL_VARIABLES_AT  1024 /* where the last variable of an environment may begin */
/* Pieces of NSL_VARIABLE_MAX - 1 octets, or variables if they are shorter, of an environment that are looked at. */
#define NSL_ENVIRONMENT_STEPS  1024
#define NSL_ENVIRONMENT_FILTER 64 /* words: a bit for what a name begins with */

struct nsl_environment {
	nsl_u32 length;	   /* octets used of text */
	nsl_u32 truncated; /* not 0: a variable was cut, or there was no room or time for all of them */
	char text[NSL_VARIABLES_AT + NSL_VARIABLE_MAX + 8]; /* "NAME=value" each closed by NUL; then zero octets */
};
NSL_STATIC_ASSERT(sizeof(struct nsl_environment) == 8 + 1024 + 256 + 8, "layout");

/* ---- a candidate: what leaves the kernel through the ring ------------------------------------------------------- */

/* NSL_VARLINK, NSL_NSCD: asked of a resolver (systemd-resolved, nscd) over its Unix socket. */
enum nsl_transport { NSL_UDP = 1, NSL_TCP = 2, NSL_VARLINK = 3, NSL_NSCD = 4 };

/* nsl_candidate.reasons: why it left the kernel. */
#define NSL_REASON_NAME	       1u  /* a suffix of the name is listed */
#define NSL_REASON_EVERY_QUERY 2u  /* a rule needs every query */
#define NSL_REASON_OBSERVE     4u  /* the user asked to see every query */
#define NSL_REASON_TEXT	       8u  /* a text of the rules is in the name */
#define NSL_REASON_TYPE	       16u /* a rule needs every query of this record type */

#define NSL_REASON_FLAGS 32u /* a rule needs every query with such flags in its header */

/* nsl_candidate.flags */
#define NSL_FLAG_SENDER_FROM_SOCKET 1u /* sent from an interrupt (a TCP timer, say): the socket's last known sender */
#define NSL_FLAG_SENDER_UNKNOWN	    2u /* sent from an interrupt, and the socket has no known sender */
#define NSL_FLAG_SERVER_BEFORE_NAT  4u /* server is what the process asked for; the packet had another destination */
#define NSL_FLAG_MORE_QUESTIONS	    8u /* the message has more than one question; this is one of them */

#define NSL_FLAG_AWAITED     16u /* its response is handed over when it comes */
#define NSL_FLAG_BLOCKED     32u /* it did not leave */
#define NSL_FLAG_WOULD_BLOCK 64u /* it left; in the mode enforce it would not have */

/* Who sends. */
struct nsl_sender {
	struct nsl_process_key process;
	struct nsl_process_key parent;
	nsl_u32 tid;	  /* of the sending thread, initial pid namespace */
	nsl_u32 uid, gid; /* real ids, initial user namespace */
	nsl_u32 reserved;
	nsl_u64 cgroup_id;
	nsl_u64 network_namespace;  /* inode of the sending process's network namespace */
	char comm[NSL_COMM];	    /* of the group leader, now */
	char thread_comm[NSL_COMM]; /* of the sending thread, now */
};
NSL_STATIC_ASSERT(sizeof(struct nsl_sender) == 16 + 16 + 16 + 16 + 32, "layout");

struct nsl_candidate {
	nsl_u64 boottime;   /* ns since boot, time in suspend included */
	nsl_u32 generation; /* number of the tables that let it pass */
	nsl_u32 reasons;
	nsl_u32 flags;

	nsl_u32 told;	/* the lower half of a key of nsl_told; 0: it is not counted there */
	nsl_u64 socket; /* nsl_exchange.socket, where NSL_FLAG_AWAITED is set */
	struct nsl_sender sender;

	nsl_u8 server[16], source[16]; /* network order; IPv4 in the first four octets, also for v4-mapped addresses */
	nsl_u16 server_port, source_port;
	nsl_u16 wire_port; /* destination port of the packet, after a NAT where the backend sees that */
	nsl_u8 family;	   /* 4 or 6 */
	nsl_u8 transport;  /* enum nsl_transport */

	nsl_u16 id; /* DNS header fields in host order */
	nsl_u16 dns_flags;
	nsl_u16 record_type; /* NSL_VARLINK, NSL_NSCD: 0 for a request for addresses of both kinds */
	nsl_u16 record_class;
	nsl_u16 question_count;
	nsl_u16 name_length; /* octets of name, the closing zero octet included: 1 to 255 */
	nsl_u32 listener;    /* NSL_VARLINK, NSL_NSCD: inode of the resolver's listening socket; 0: not known */

	/* NSL_FLAG_BLOCKED: what an answer in the server's place needs */
	nsl_u8 wire_server[16];			/* destination of the packet, as wire_port */
	nsl_u32 tcp_sequence, tcp_acknowledged; /* of the segment, host order */

	nsl_u8 name[256]; /* wire form as sent, case kept */
};
NSL_STATIC_ASSERT(sizeof(struct nsl_candidate) == 32 + 96 + 32 + 8 + 16 + 24 + 256, "layout");

/* ---- a response -------------------------------------------------------------------------------------------------- */

#define NSL_RESPONSE_SHORT 512	/* octets of a response that are handed over in a small record; a power of two */
#define NSL_RESPONSE_MAX   4096 /* of any; what is behind is cut off; a power of two */
#define NSL_RESPONSE_WAIT  30	/* seconds for which a response may answer a query */

/* What a query and its response have in common; exchange.h makes it from a candidate. Name and type are compared by user
 * space. */
struct nsl_exchange {
	nsl_u64 socket;	   /* names the socket while it is open: opaque, not to be shown */
	nsl_u8 server[16]; /* whom the process asked, as in nsl_candidate */
	nsl_u16 server_port;
	nsl_u16 id;
	nsl_u8 family;
	nsl_u8 transport;
	nsl_u16 reserved;
};
NSL_STATIC_ASSERT(sizeof(struct nsl_exchange) == 32, "layout");

/* A response to an awaited query, followed by length octets of its message (the record may be longer). */
struct nsl_response {
	struct nsl_exchange exchange;
	nsl_u64 boottime;    /* when it came, ns since boot, time in suspend included */
	nsl_u32 length;	     /* octets that follow, NSL_RESPONSE_MAX at most */
	nsl_u32 full_length; /* of the message */
};
NSL_STATIC_ASSERT(sizeof(struct nsl_response) == 48, "layout");

/* ---- a request over a resolver's Unix socket ---------------------------------------------------------------------- */

#define NSL_REQUEST_MAX 1024 /* octets kept of one */

/* In the ring among the candidates, told from them by its size. Name, type and id of its candidate are not set: user space
 * reads them out of the request and hands the candidate on. */
struct nsl_unix_request {
	struct nsl_candidate candidate;
	nsl_u32 length; /* of the request; octets has no more than NSL_REQUEST_MAX of it */
	nsl_u32 reserved;
	nsl_u8 octets[NSL_REQUEST_MAX]; /* as the client wrote it in one send */
};
NSL_STATIC_ASSERT(sizeof(struct nsl_unix_request) == 464 + 8 + NSL_REQUEST_MAX, "layout");

/* ---- ways around the sensor (bypass.bpf.c) ------------------------------------------------------------------------ */

/* The numbers are those of the event's Technique. */
enum nsl_technique {
	NSL_DNS_OVER_TLS = 1,
	NSL_DNS_OVER_HTTPS = 2,
	NSL_DNS_OVER_QUIC = 3,
	NSL_OTHER_RESOLVER = 4,
	NSL_RAW_SOCKET = 5,
	NSL_PACKET_SOCKET = 6,
	NSL_DETACHED = 7
};

/* Of an address in nsl_resolvers. */
#define NSL_RESOLVER_OWN    1u /* this host is configured to ask it */
#define NSL_RESOLVER_PUBLIC 2u /* known to answer encrypted queries */

#define NSL_BYPASS_ENTRIES 4096 /* of the table of what was told: of as many processes and addresses at once */
#define NSL_BYPASS_RING	   262144

/* Network order; IPv4, v4-mapped as well, in the first four octets. */
struct nsl_address {
	nsl_u8 octets[16];
	nsl_u32 family; /* 4 or 6 */
};
NSL_STATIC_ASSERT(sizeof(struct nsl_address) == 20, "layout");

/* What is told once of a process. */
struct nsl_bypass_key {
	struct nsl_process_key process;
	struct nsl_address address; /* family 0: there is none */
	nsl_u16 technique;
	nsl_u16 transport;
};
NSL_STATIC_ASSERT(sizeof(struct nsl_bypass_key) == 40, "layout");

struct nsl_bypass {
	nsl_u64 boottime;  /* ns since boot, time in suspend included */
	nsl_u32 technique; /* enum nsl_technique */
	nsl_u16 port;	   /* host order; of a raw socket its protocol, in host order, too */
	nsl_u8 transport;  /* NSL_UDP, NSL_TCP; 0: a socket alone */
	nsl_u8 reserved;
	struct nsl_address address;
	nsl_u32 reserved_too;
	struct nsl_sender sender;
};
NSL_STATIC_ASSERT(sizeof(struct nsl_bypass) == 40 + 96, "layout");

/* ---- counters: one per stage that can lose or refuse something -------------------------------------------------- */

/* Indexes of the per-CPU counters map. The names are those of the metrics, nslookout_<name>_total. */
#define NSL_COUNTERS(X)                                                                                    \
	X(queries, "DNS queries seen on the configured ports")                                             \
	X(candidates, "queries handed to user space")                                                      \
	X(not_dns, "messages to a DNS port that are not a query (responses, updates, other protocols)")    \
	X(ring_full, "candidates lost because user space was too slow")                                    \
	X(payload_unreadable, "sends whose octets the backend could not read")                             \
	X(messages_over_limit, "messages of one send beyond the limit, not looked at")                     \
	X(tcp_split, "TCP messages split across segments in a way that hid the question")                  \
	X(tcp_retransmitted, "TCP segments seen before, not looked at again")                              \
	X(ip_fragment, "fragments of a datagram, sent as such, not looked at")                             \
	X(sender_unknown, "candidates sent from an interrupt on a socket with no known sender")            \
	X(socket_storage_full, "sockets for which no storage could be had")                                \
	X(process_table, "processes for which no entry could be made")                                     \
	X(process_entries, "entries made in the process table")                                            \
	X(environment_cut, "environments of which not every listed variable could be kept whole")          \
	X(pending_full, "candidates lost because too many were under way, of one send or of all")          \
	X(send_failed, "candidates dropped because the send failed")                                       \
	X(generation_missing, "queries seen while no tables were loaded")                                  \
	X(unix_request_unread, "requests over a resolver's Unix socket that could not be read")            \
	X(program_missed, "sends that a program did not see because it was already running on the CPU")    \
	X(responses, "responses handed to user space")                                                     \
	X(responses_unawaited, "responses that no awaited query explains: late, spoofed, unwanted")        \
	X(response_ring_full, "responses lost because user space was too slow")                            \
	X(response_cut, "responses of which the end was not handed over, because they are too long")       \
	X(response_split, "TCP streams of responses given up: a segment was missed, or no messages in it") \
	X(blocked, "packets that were kept from leaving")                                                  \
	X(telemetry_ring_full, "queries that nothing matched, lost because user space was too slow")       \
	X(telemetry_limited, "the same, not handed over because their process asks too fast")              \
	X(telemetry_repeated, "the same, not handed over because one like them was before, and counted")   \
	X(bypasses, "ways around the sensor that were taken, handed to user space")                        \
	X(bypass_ring_full, "the same, lost because user space was too slow")

enum nsl_counter {
#define NSL_COUNTER_ENUM(name, text) NSL_COUNT_##name,
	NSL_COUNTERS(NSL_COUNTER_ENUM)
#undef NSL_COUNTER_ENUM
		NSL_COUNTER_MAX
};
