// DNS messages as octets, well formed or not, for the tests that send them (RFC 1035 section 4.1, RFC 6891 6.1).
//
// Names are given in presentation form ("a.b") or as a list of labels of any octets; nothing here checks limits, since
// half of the tests send what breaks them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace nslookout::kernel_test {

inline constexpr std::uint16_t type_a = 1;
inline constexpr std::uint16_t type_txt = 16;
inline constexpr std::uint16_t type_aaaa = 28;
inline constexpr std::uint16_t class_in = 1;

// Each label after its length octet, closed by the root.
[[nodiscard]] std::string wire_labels(const std::vector<std::string>& labels);

// Presentation form without escapes: splits at the dots; "." is the root.
[[nodiscard]] std::string wire_name(std::string_view presentation);

struct Question {
  std::string name;  // wire form, or whatever octets stand in its place
  std::uint16_t type = type_a;
  std::uint16_t record_class = class_in;
};

struct Message {
  std::uint16_t id = 0x4d53;
  std::uint16_t flags = 0x0100;  // RD
  std::vector<Question> questions = {};
  std::optional<std::uint16_t> question_count = {};  // the number of questions unless given
  std::uint16_t answer_count = 0;
  std::uint16_t authority_count = 0;
  std::uint16_t additional_count = 0;
  std::string rest = {};  // octets after the questions

  [[nodiscard]] std::string octets() const;
};

// A plain query of one question.
[[nodiscard]] std::string query(std::string_view wire, std::uint16_t type = type_a, std::uint16_t id = 0x4d53);

// An OPT record with a client cookie (RFC 7873) and padding (RFC 7830), as a stub resolver adds it.
[[nodiscard]] std::string opt_record_with_cookie_and_padding();

[[nodiscard]] std::string big_endian16(std::uint16_t value);

// The same octets for the same seed, on every machine.
[[nodiscard]] std::string random_octets(std::size_t count, std::uint32_t seed);

}  // namespace nslookout::kernel_test
