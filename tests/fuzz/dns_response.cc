// Any octets as a response: what is read is well formed and bounded, and where libresolv's own parser takes the whole
// message, the two agree.
#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <sys/socket.h>

#include <array>
#include <string>
#include <vector>

#include "base/dns_name.h"
#include "base/dns_response.h"
#include "octets.h"

namespace nslookout::fuzz {
namespace {

bool is_printable(const std::string& text) {
  for (const char c : text) {
    if (c < 0x20 || c > 0x7E) return false;
  }
  return true;
}

std::size_t count_at(std::string_view message, std::size_t at) {
  return static_cast<std::size_t>(static_cast<std::uint8_t>(message[at]) << 8 |
                                  static_cast<std::uint8_t>(message[at + 1]));
}

void compare_with_libresolv(std::string_view message, const DnsResponse& response) {
  ns_msg handle{};
  if (ns_initparse(reinterpret_cast<const unsigned char*>(message.data()), static_cast<int>(message.size()), &handle) !=
      0) {
    return;
  }
  // libresolv passes over names that it cannot read; a question has to be read
  if (response.questions.size() < std::min<std::size_t>(ns_msg_count(handle, ns_s_qd), 8)) return;
  require(!response.damaged, "what libresolv reads to its end is not damaged");
  require(response.answers.size() == ns_msg_count(handle, ns_s_an), "each record of the answer section");
  for (int i = 0; i < ns_msg_count(handle, ns_s_an); ++i) {
    ns_rr record{};
    if (ns_parserr(&handle, ns_s_an, i, &record) != 0 || ns_rr_type(record) != ns_t_a ||
        ns_rr_class(record) != ns_c_in || ns_rr_rdlen(record) != 4) {
      continue;
    }
    std::array<char, INET_ADDRSTRLEN> text{};
    ::inet_ntop(AF_INET, ns_rr_rdata(record), text.data(), text.size());
    require(response.answers[static_cast<std::size_t>(i)] == text.data(), "an address");
  }
}

void check(std::string_view message) {
  const auto response = parse_dns_response(message);
  const bool is_one = message.size() >= NS_HFIXEDSZ && (static_cast<std::uint8_t>(message[2]) & 0xF8) == 0x80;
  require(response.has_value() == is_one, "what is a response");
  if (!response) return;
  require(response->answers.size() <= count_at(message, 6), "no more answers than the header says");
  require(response->damaged || response->answers.size() == count_at(message, 6),
          "all of them, where nothing is damaged");
  for (const DnsQuestion& question : response->questions) {
    require(is_wire_name(question.wire) && ascii_lower(question.wire) == question.wire, "a question's name");
  }
  for (const std::string& answer : response->answers) require(is_printable(answer), "an answer is printable");
  compare_with_libresolv(message, *response);
}

}  // namespace
}  // namespace nslookout::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* octets, std::size_t size) {
  // a copy of its own, so that the sanitizer sees a read behind it
  const std::vector<char> message(octets, octets + size);
  nslookout::fuzz::check({message.data(), message.size()});
  return 0;
}
