// The parser that the kernel programs run (bpf/dns.h), on any octets, against a plain one written from RFC 1035 sections
// 4.1.1, 4.1.2 and 3.1.
#include <optional>
#include <vector>

#include "octets.h"

#include "bpf/dns_reader.h"
// dns_reader.h first: it provides what dns.h needs
#include "bpf/dns.h"

namespace nslookout::fuzz {
namespace {

// As much of a message as the programs look at.
constexpr std::size_t most_octets = NSL_OFFSET_MASK + 1;

std::uint32_t plain_questions(std::string_view message) {
  const auto at = [&](std::size_t i) { return static_cast<std::uint8_t>(message[i]); };
  if (message.size() < 10) return 0;       // up to NSCOUNT, in one piece
  if ((at(2) & 0x80) != 0) return 0;       // QR
  if ((at(2) >> 3 & 0x0F) != 0) return 0;  // opcode
  const unsigned count = at(4) << 8 | at(5);
  return count <= NSL_QUESTIONS_MAX ? count : 0;
}

struct PlainName {
  std::vector<std::uint32_t> labels;  // offsets from the name's start
  std::uint32_t length = 0;           // the root's octet included
};

std::optional<PlainName> plain_name(std::string_view message, std::size_t begin) {
  PlainName name;
  for (std::size_t at = begin; at < message.size();) {
    const auto length = static_cast<std::uint8_t>(message[at]);
    const std::size_t offset = at - begin;
    if (length == 0) {
      name.length = static_cast<std::uint32_t>(offset + 1);
      if (name.length > NSL_NAME_MAX) return std::nullopt;
      return name;
    }
    if (length > NSL_LABEL_MAX) return std::nullopt;
    name.labels.push_back(static_cast<std::uint32_t>(offset));
    at += 1U + length;
  }
  return std::nullopt;
}

std::uint64_t last_eight(const PlainName& name) {
  std::uint64_t last = 0;
  for (const std::uint32_t offset : name.labels) last = last << 8 | offset;
  return last;
}

void check(std::string_view message) {
  const nsl_reader reader{reinterpret_cast<const nsl_u8*>(message.data()), static_cast<nsl_u32>(message.size())};
  const nsl_u32 questions = nsl_query_questions(&reader);
  require(questions == plain_questions(message), "the number of questions");
  nsl_u32 at = NSL_DNS_HEADER;
  for (nsl_u32 i = 0; i < questions && at <= NSL_OFFSET_MASK; ++i) {
    nsl_labels labels{};
    const bool found = nsl_find_labels(&reader, at, &labels) == 0;
    const std::optional<PlainName> name = plain_name(message, at);
    require(found == name.has_value(), "whether there is a name");
    if (!found) return;
    require(labels.length == name->length, "the length of the name");
    require(labels.last == last_eight(*name), "the last labels");
    const nsl_u32 end = at + labels.length;
    nsl_question_tail tail{};
    const bool whole = nsl_read_question_tail(&reader, end, &tail) == 0;
    require(whole == (end + 4 <= message.size()), "whether type and class are there");
    if (!whole) return;
    const auto octet = [&](nsl_u32 offset) { return static_cast<std::uint8_t>(message[offset]); };
    require(tail.record_type == (octet(end) << 8 | octet(end + 1)), "the type");
    require(tail.record_class == (octet(end + 2) << 8 | octet(end + 3)), "the class");
    nsl_plausible_query(&reader, &tail, end + 4, reader.length);
    at = end + 4;
  }
}

}  // namespace
}  // namespace nslookout::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* octets, std::size_t size) {
  // a copy of its own, so that the sanitizer sees a read behind it
  const std::vector<char> message(octets, octets + std::min(size, nslookout::fuzz::most_octets));
  nslookout::fuzz::check({message.data(), message.size()});
  return 0;
}
