#include "wire.h"

#include <random>

namespace nslookout::kernel_test {

std::string big_endian16(std::uint16_t value) {
  return {static_cast<char>(value >> 8), static_cast<char>(value & 0xff)};
}

std::string wire_labels(const std::vector<std::string>& labels) {
  std::string wire;
  for (const auto& label : labels) {
    wire.push_back(static_cast<char>(label.size()));
    wire += label;
  }
  wire.push_back('\0');
  return wire;
}

std::string wire_name(std::string_view presentation) {
  std::vector<std::string> labels;
  if (presentation != ".") {
    std::size_t from = 0;
    while (from <= presentation.size()) {
      const auto dot = std::min(presentation.find('.', from), presentation.size());
      labels.emplace_back(presentation.substr(from, dot - from));
      from = dot + 1;
    }
  }
  return wire_labels(labels);
}

std::string Message::octets() const {
  std::string out = big_endian16(id) + big_endian16(flags) +
                    big_endian16(question_count.value_or(static_cast<std::uint16_t>(questions.size()))) +
                    big_endian16(answer_count) + big_endian16(authority_count) + big_endian16(additional_count);
  for (const auto& question : questions) {
    out += question.name + big_endian16(question.type) + big_endian16(question.record_class);
  }
  return out + rest;
}

std::string query(std::string_view wire, std::uint16_t type, std::uint16_t id) {
  return Message{.id = id, .questions = {{.name = std::string(wire), .type = type}}}.octets();
}

std::string opt_record_with_cookie_and_padding() {
  const std::string cookie = big_endian16(10) + big_endian16(8) + "cookie!!";
  const std::string padding = big_endian16(12) + big_endian16(64) + std::string(64, '\0');
  const std::string options = cookie + padding;
  return std::string(1, '\0') + big_endian16(41) + big_endian16(1232) + std::string(4, '\0') +
         big_endian16(static_cast<std::uint16_t>(options.size())) + options;
}

std::string random_octets(std::size_t count, std::uint32_t seed) {
  std::mt19937 generator(seed);
  std::string out(count, '\0');
  for (auto& octet : out) octet = static_cast<char>(generator() & 0xff);
  return out;
}

}  // namespace nslookout::kernel_test
