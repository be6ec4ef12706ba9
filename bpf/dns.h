/* A bounded parser of the question section of a DNS message (RFC 1035 section 4.1).
 *
 * Pure functions of a reader and an offset: no helper, no map, no state, so that the kernel programs, the unit tests and
 * the fuzzer run the same lines. Offsets count from the first octet of the message's header.
 *
 * The includer provides, before this file:
 *   struct nsl_reader                                            access to the octets of one message
 *   int nsl_read8(const struct nsl_reader *, nsl_u64 at, nsl_u8 *)    0, or -1 past the end; at is below 512
 *   int nsl_read64(const struct nsl_reader *, nsl_u64 at, nsl_u64 *)  the same for eight octets, in memory order
 *   NSL_BIT(number)    a word with one bit set, by the lowest six bits of number
 *   NSL_FORGET(x)      hides what the verifier knows about x; see docs/performance.md
 *   NSL_INLINE         static inline in user space, always inlined in BPF
 * For user space "dns_reader.h" does that.
 */
#pragma once

#include "abi.h"

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "the word-wise hash reads labels in little-endian order"
#endif

#define NSL_OFFSET_MASK 511u /* every offset into a message is below 512 */

/* Where a name's labels are. */
struct nsl_labels {
	nsl_u64 last; /* offsets, from the name's start, of the last eight labels' length octets; the last label lowest */
	nsl_u32 length; /* octets of the whole name, the root's zero octet included */
};

/* The questions of the message, or 0 if it is no query: too short, a response (QR), another opcode than QUERY, no
 * question or more than NSL_QUESTIONS_MAX. */
NSL_INLINE nsl_u32 nsl_query_questions(const struct nsl_reader *reader)
{
	nsl_u64 header;

	/* flags, QDCOUNT, ANCOUNT, NSCOUNT: octets 2 to 9 */
	if (nsl_read64(reader, 2, &header))
		return 0;
	if (header & 0xF8) /* QR and the four bits of the opcode */
		return 0;
	if (header >> 16 & 0xFF) /* high octet of QDCOUNT */
		return 0;
	header = header >> 24 & 0xFF;
	if (header > NSL_QUESTIONS_MAX)
		return 0;
	return (nsl_u32)header;
}

/* Walks over the name at offset at. 0, or -1 if it does not end within 255 octets, within the message and within the first
 * 512 octets of that, or has a compression pointer (a question has nothing to point to) or another label type. */
NSL_INLINE int nsl_find_labels(const struct nsl_reader *reader, nsl_u32 at, struct nsl_labels *labels)
{
	nsl_u64 last = 0, offset = 0;
	int ended = 0;

	for (int i = 0; i <= NSL_LABELS_MAX; i++) {
		nsl_u8 length;

		if (nsl_read8(reader, (at + offset) & NSL_OFFSET_MASK, &length))
			return -1;
		/* A later question, too far back to be looked at. After the read: before it, the compiler would take this
		 * for the mask's reason and drop the mask, which older verifiers want to see. */
		if (at + offset > NSL_OFFSET_MASK)
			return -1;
		if (length == 0) {
			ended = 1;
			break;
		}
		if (length > NSL_LABEL_MAX)
			return -1;
		last = last << 8 | offset;
		offset += (nsl_u64)length + 1;
		if (offset >= NSL_NAME_MAX)
			return -1;
	}
	if (!ended)
		return -1;
	/* Each exit of the loop is a state of its own to the verifier; without this it follows the rest for each. */
	NSL_FORGET(last);
	NSL_FORGET(offset);
	labels->last = last;
	labels->length = (nsl_u32)(offset & 0xFF) + 1;
	return 0;
}

/* The fixed fields behind a question's name. */
struct nsl_question_tail {
	nsl_u16 record_type;
	nsl_u16 record_class;
};

/* Reads them at offset at. 0, or -1 when they are cut off. */
NSL_INLINE int nsl_read_question_tail(const struct nsl_reader *reader, nsl_u32 at, struct nsl_question_tail *tail)
{
	nsl_u8 type_high, type_low, class_high, class_low;

	if (nsl_read8(reader, at & NSL_OFFSET_MASK, &type_high) ||
	    nsl_read8(reader, (at + 1) & NSL_OFFSET_MASK, &type_low) ||
	    nsl_read8(reader, (at + 2) & NSL_OFFSET_MASK, &class_high) ||
	    nsl_read8(reader, (at + 3) & NSL_OFFSET_MASK, &class_low) || at + 3 > NSL_OFFSET_MASK)
		return -1;
	tail->record_type = (nsl_u16)(type_high << 8 | type_low);
	tail->record_class = (nsl_u16)(class_high << 8 | class_low);
	return 0;
}

/* Whether a message with this question is plausibly DNS: the class is one that is asked for (IN, CH, HS, NONE, ANY, with
 * or without the multicast bit of RFC 6762 section 5.4), and what is left of the message has room for the records that
 * the header promises (eleven octets each at least). Other protocols on a DNS port fail here. Only for queries of names
 * that are not listed: a listed name is evidence enough, and an odd header must not hide it.
 * end is the offset behind the question, length that of the message. */
NSL_INLINE int nsl_plausible_query(const struct nsl_reader *reader, const struct nsl_question_tail *tail, nsl_u32 end,
				   nsl_u32 length)
{
	const nsl_u32 asked_class = tail->record_class & 0x7FFFu;
	nsl_u64 counts;
	nsl_u32 records;

	if (asked_class != 1 && asked_class != 3 && asked_class != 4 && asked_class != 254 && asked_class != 255)
		return 0;
	/* QDCOUNT, ANCOUNT, NSCOUNT, ARCOUNT: octets 4 to 11 */
	if (nsl_read64(reader, 4, &counts))
		return 0;
	records = (nsl_u32)((counts >> 16 & 0xFF) << 8 | (counts >> 24 & 0xFF));
	records += (nsl_u32)((counts >> 32 & 0xFF) << 8 | (counts >> 40 & 0xFF));
	records += (nsl_u32)((counts >> 48 & 0xFF) << 8 | (counts >> 56 & 0xFF));
	return records == 0 || (end <= length && records * 11u <= length - end);
}
