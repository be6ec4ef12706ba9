#include "capture/questions.h"

#include <algorithm>
#include <cstring>

#include "bpf/dns_reader.h"

#include "bpf/dns.h"

namespace nslookout::capture {
namespace {

constexpr std::size_t readable_octets = NSL_OFFSET_MASK + 1;  // the parser's offsets end here

// The offset behind the question at offset at; 0 when it cannot be read.
nsl_u32 read_question(const nsl_reader& reader, nsl_u32 at, std::size_t full_length, Question& question) {
  nsl_labels labels{};
  nsl_question_tail tail{};
  if (nsl_find_labels(&reader, at, &labels) != 0) return 0;
  const nsl_u32 end = at + labels.length + 4;
  if (end > reader.length || nsl_read_question_tail(&reader, at + labels.length, &tail) != 0) return 0;

  nsl_candidate& candidate = question.candidate;
  candidate.record_type = tail.record_type;
  candidate.record_class = tail.record_class;
  candidate.name_length = static_cast<nsl_u16>(labels.length);
  std::memcpy(candidate.name, reader.octets + at, labels.length);
  const auto length = static_cast<nsl_u32>(std::min<std::size_t>(full_length, 65535));
  question.plausible = nsl_plausible_query(&reader, &tail, end, length) != 0;
  return end;
}

}  // namespace

Taken<void> read_questions(Octets message, std::size_t full_length, const QuestionHandler& handler) {
  const Skip unreadable =
      message.size() < std::min(full_length, readable_octets) ? Skip::cut : Skip::malformed_question;
  if (message.size() < NSL_DNS_HEADER) return skip(unreadable == Skip::cut ? Skip::cut : Skip::not_query);
  const nsl_reader reader{message.data(), static_cast<nsl_u32>(std::min(message.size(), readable_octets))};
  const nsl_u32 count = nsl_query_questions(&reader);
  if (count == 0) return skip(Skip::not_query);

  nsl_u32 at = NSL_DNS_HEADER;
  for (nsl_u32 i = 0; i < count; ++i) {
    Question question;
    question.candidate.id = read16(message, 0);
    question.candidate.dns_flags = read16(message, 2);
    question.candidate.question_count = static_cast<nsl_u16>(count);
    if (count > 1) question.candidate.flags = NSL_FLAG_MORE_QUESTIONS;
    at = read_question(reader, at, full_length, question);
    if (at == 0 && i == 0) return skip(unreadable);
    if (at == 0) break;
    handler(question);
  }
  return {};
}

}  // namespace nslookout::capture
