#include "harness.h"
#include "wire.h"
#include "wire_shapes.h"

namespace nslookout::kernel_test {

namespace {

std::string hit() { return wire_name("hit." + zone()); }
std::string other_hit() { return wire_name("other." + zone()); }
std::string benign() { return wire_name("www.example.com"); }

std::vector<WireShape> count_shapes() {
  const Question good{.name = hit()};
  const Question good_too{.name = other_hit(), .type = type_aaaa};
  const Question fine{.name = benign()};
  const std::vector<Question> eighth_is_listed{fine, fine, fine, fine, fine, fine, fine, good};
  auto ninth_is_listed = eighth_is_listed;
  ninth_is_listed.insert(ninth_is_listed.begin(), fine);
  return {
      {.name = "question_count_0",
       .datagrams = {Message{.questions = {good}, .question_count = 0}.octets()},
       .not_dns_at_least = 1},
      {.name = "questions_2_benign_then_listed",
       .datagrams = {Message{.questions = {fine, good}}.octets()},
       .wanted = {{.name = hit()}}},
      {.name = "questions_2_listed_then_benign",
       .datagrams = {Message{.questions = {good, fine}}.octets()},
       .wanted = {{.name = hit()}}},
      {.name = "questions_2_both_listed",
       .datagrams = {Message{.questions = {good, good_too}}.octets()},
       .wanted = {{.name = hit()}, {.name = other_hit(), .type = type_aaaa}}},
      {.name = "questions_3_last_listed",
       .datagrams = {Message{.questions = {fine, fine, good}}.octets()},
       .wanted = {{.name = hit()}}},
      {.name = "questions_8_last_listed",
       .datagrams = {Message{.questions = eighth_is_listed}.octets()},
       .wanted = {{.name = hit()}}},
      {.name = "questions_9_are_no_query",
       .datagrams = {Message{.questions = ninth_is_listed}.octets()},
       .not_dns_at_least = 1},
      // A listed name is evidence enough: an odd header must not hide it.
      {.name = "question_count_2_but_one_there",
       .datagrams = {Message{.questions = {good}, .question_count = 2}.octets()},
       .wanted = {{.name = hit()}}},
  };
}

std::vector<WireShape> flag_shapes() {
  std::vector<WireShape> shapes;
  const auto with_flags = [](std::uint16_t flags) {
    return Message{.flags = flags, .questions = {{.name = hit()}}}.octets();
  };
  // RD alone, none, RD and AD, RD and CD, TC, the reserved Z bit: all are queries.
  for (const unsigned flags : {0x0100U, 0x0000U, 0x0120U, 0x0110U, 0x0300U, 0x0140U}) {
    shapes.push_back({.name = fmt::format("flags_{:04x}_query", flags),
                      .datagrams = {with_flags(static_cast<std::uint16_t>(flags))},
                      .wanted = {{.name = hit()}}});
  }
  // Responses; NOTIFY (opcode 4); UPDATE (5).
  for (const unsigned flags : {0x8000U, 0x8180U, 0x8183U, 0x2000U, 0x2400U, 0x2800U, 0x2900U, 0xa800U}) {
    shapes.push_back({.name = fmt::format("flags_{:04x}_no_query", flags),
                      .datagrams = {with_flags(static_cast<std::uint16_t>(flags))},
                      .not_dns_at_least = 1});
  }
  return shapes;
}

std::vector<WireShape> type_shapes() {
  std::vector<WireShape> shapes;
  for (const unsigned type : {0U, 1U, 2U, 12U, 15U, 16U, 28U, 33U, 64U, 65U, 250U, 255U, 256U, 65535U}) {
    const auto number = static_cast<std::uint16_t>(type);
    shapes.push_back({.name = fmt::format("type_{}", type),
                      .datagrams = {query(hit(), number)},
                      .wanted = {{.name = hit(), .type = number}}});
  }
  for (const unsigned record_class : {1U, 3U, 255U, 0x8001U}) {
    const auto number = static_cast<std::uint16_t>(record_class);
    shapes.push_back({.name = fmt::format("class_{}", record_class),
                      .datagrams = {Message{.questions = {{.name = hit(), .record_class = number}}}.octets()},
                      .wanted = {{.name = hit(), .record_class = number}}});
  }
  shapes.push_back({.name = "a_and_aaaa_are_two",
                    .datagrams = {query(hit()), query(hit(), type_aaaa)},
                    .wanted = {{.name = hit()}, {.name = hit(), .type = type_aaaa}}});
  shapes.push_back({.name = "retry_with_the_same_id_is_two",
                    .datagrams = {query(hit()), query(hit())},
                    .wanted = {{.name = hit()}, {.name = hit()}}});
  return shapes;
}

std::vector<WireShape> section_shapes() {
  const Question good{.name = hit()};
  const std::string pointer_to_question("\xc0\x0c", 2);
  const auto answer = pointer_to_question + big_endian16(12) + big_endian16(1) + std::string(4, '\0') +
                      big_endian16(2) + pointer_to_question;
  const auto opt = opt_record_with_cookie_and_padding();
  return {
      {.name = "edns_cookie_padding",
       .datagrams = {Message{.questions = {good}, .additional_count = 1, .rest = opt}.octets()},
       .wanted = {{.name = hit()}}},
      {.name = "known_answers",
       .datagrams = {Message{.flags = 0, .questions = {good}, .answer_count = 2, .rest = answer + answer}.octets()},
       .wanted = {{.name = hit()}}},
      {.name = "authority_record_of_an_ixfr",
       .datagrams =
           {Message{.questions = {{.name = hit(), .type = 251}}, .authority_count = 1, .rest = answer}.octets()},
       .wanted = {{.name = hit(), .type = 251}}},
      {.name = "octets_after_the_question",
       .datagrams = {Message{.questions = {good}, .rest = std::string(900, '\x5a')}.octets()},
       .wanted = {{.name = hit()}}},
      {.name = "listed_name_in_the_answer_section_alone",
       .datagrams = {Message{.questions = {{.name = benign()}}, .answer_count = 1, .rest = hit() + answer}.octets()}},
  };
}

}  // namespace

std::vector<WireShape> header_shapes() {
  std::vector<WireShape> shapes;
  for (auto& more : {count_shapes(), flag_shapes(), type_shapes(), section_shapes()}) {
    shapes.insert(shapes.end(), more.begin(), more.end());
  }
  return shapes;
}

}  // namespace nslookout::kernel_test
