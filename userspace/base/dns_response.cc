#include "base/dns_response.h"

#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <netinet/in.h>

#include <array>
#include <cstddef>

#include <fmt/format.h>

#include "base/dns_name.h"

namespace nslookout {
namespace {

constexpr std::size_t questions_max = 8;  // as the kernel programs look at (bpf/abi.h, NSL_QUESTIONS_MAX)
constexpr unsigned response_bit = 0x8000;
constexpr unsigned opcode_bits = 0x7800;
constexpr unsigned truncated_bit = 0x0200;
constexpr unsigned rcode_bits = 0x000F;

struct Record {
  std::uint16_t type = 0;
  std::uint16_t record_class = 0;
  std::uint32_t ttl = 0;
  std::size_t begin = 0;  // of its data
  std::size_t end = 0;
};

// Reads on from where it stands; a read that fails leaves it unusable.
class Reader {
 public:
  explicit Reader(std::string_view message) : message_(message) {}

  [[nodiscard]] std::optional<std::uint16_t> number16() {
    if (message_.size() - at_ < 2) return std::nullopt;
    const auto high = static_cast<unsigned char>(message_[at_]);
    const auto low = static_cast<unsigned char>(message_[at_ + 1]);
    at_ += 2;
    return static_cast<std::uint16_t>(high << 8 | low);
  }

  [[nodiscard]] std::optional<std::uint32_t> number32() {
    const auto high = number16();
    const auto low = number16();
    if (!high || !low) return std::nullopt;
    return static_cast<std::uint32_t>(*high) << 16 | *low;
  }

  // Uncompressed, lower case.
  [[nodiscard]] std::optional<std::string> name() {
    const auto* begin = reinterpret_cast<const unsigned char*>(message_.data());
    std::array<unsigned char, NS_MAXCDNAME> wire{};
    const int taken = ns_name_unpack(begin, begin + message_.size(), begin + at_, wire.data(), wire.size());
    if (taken < 0) return std::nullopt;
    at_ += static_cast<std::size_t>(taken);
    std::size_t length = 0;
    while (wire[length] != 0) length += 1U + wire[length];
    return ascii_lower({reinterpret_cast<const char*>(wire.data()), length + 1});
  }

  [[nodiscard]] bool pass_name() {
    const auto* begin = reinterpret_cast<const unsigned char*>(message_.data());
    const auto* at = begin + at_;
    if (ns_name_skip(&at, begin + message_.size()) != 0) return false;
    at_ = static_cast<std::size_t>(at - begin);
    return true;
  }

  // The owner is passed over: some stub resolvers do not look at it, and an owner that loops must not hide the rest.
  [[nodiscard]] std::optional<Record> record() {
    if (!pass_name()) return std::nullopt;
    const auto type = number16();
    const auto record_class = number16();
    const auto ttl = number32();
    const auto length = number16();
    if (!type || !record_class || !ttl || !length || message_.size() - at_ < *length) return std::nullopt;
    const Record record{*type, *record_class, *ttl, at_, at_ + *length};
    at_ = record.end;
    return record;
  }

  void go_to(std::size_t at) { at_ = at; }
  [[nodiscard]] std::size_t at() const { return at_; }
  [[nodiscard]] std::string_view data(const Record& record) const {
    return message_.substr(record.begin, record.end - record.begin);
  }

 private:
  std::string_view message_;
  std::size_t at_ = 0;
};

std::string unknown_form(std::string_view data) {
  std::string text = fmt::format("\\# {}", data.size());
  if (!data.empty()) text += ' ';
  for (const char octet : data) fmt::format_to(std::back_inserter(text), "{:02x}", static_cast<unsigned char>(octet));
  return text;
}

std::string address_text(int family, std::string_view octets) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  return ::inet_ntop(family, octets.data(), text.data(), text.size()) != nullptr ? text.data() : "";
}

// Nothing where the strings do not fill the data exactly (RFC 1035 section 3.3.14).
std::optional<std::string> joined_strings(std::string_view data) {
  std::string text;
  while (!data.empty()) {
    const auto length = static_cast<unsigned char>(data[0]);
    if (data.size() - 1 < length) return std::nullopt;
    for (const char octet : data.substr(1, length)) {
      const auto value = static_cast<unsigned char>(octet);
      if (octet == '\\') {
        text += "\\\\";
      } else if (value < 0x20 || value > 0x7E) {
        fmt::format_to(std::back_inserter(text), "\\{:03}", value);
      } else {
        text += octet;
      }
    }
    data.remove_prefix(1U + length);
  }
  return text;
}

// Octets of the data before the name that stands for the record; nothing where no name does.
std::optional<std::size_t> octets_before_name(std::uint16_t type) {
  switch (type) {
    case ns_t_cname:
    case ns_t_dname:
    case ns_t_ns:
    case ns_t_ptr:
      return 0;
    case ns_t_mx:
      return 2;
    case ns_t_srv:
      return 6;
    default:
      return std::nullopt;
  }
}

// The name that the data hold, up to their end.
std::optional<std::string> name_in(const Reader& message, const Record& record, std::size_t before) {
  if (record.end - record.begin < before) return std::nullopt;
  Reader reader = message;
  reader.go_to(record.begin + before);
  const std::optional<std::string> wire = reader.name();
  if (!wire || reader.at() != record.end) return std::nullopt;
  return wire_to_presentation(*wire);
}

std::string answer_text(const Reader& message, const Record& record) {
  const std::string_view data = message.data(record);
  if (record.type == ns_t_a && record.record_class == ns_c_in && data.size() == 4) return address_text(AF_INET, data);
  if (record.type == ns_t_aaaa && data.size() == 16) return address_text(AF_INET6, data);
  std::optional<std::string> text;
  if (const auto before = octets_before_name(record.type)) text = name_in(message, record, *before);
  if (record.type == ns_t_txt) text = joined_strings(data);
  return text ? *text : unknown_form(data);
}

bool read_questions(Reader& reader, std::uint16_t count, DnsResponse& response) {
  for (std::size_t i = 0; i < count; ++i) {
    std::optional<std::string> wire = reader.name();
    const auto type = wire ? reader.number16() : std::nullopt;
    const auto record_class = type ? reader.number16() : std::nullopt;
    if (!record_class) return false;
    if (i < questions_max) response.questions.push_back({std::move(*wire), *type, *record_class});
  }
  return true;
}

bool read_answers(Reader& reader, std::uint16_t count, DnsResponse& response) {
  for (std::size_t i = 0; i < count; ++i) {
    const std::optional<Record> record = reader.record();
    if (!record) return false;
    response.answers.push_back(answer_text(reader, *record));
  }
  return true;
}

// From the sections behind the answer; that they cannot be read is no loss.
void read_extended_rcode(Reader& reader, std::size_t records, DnsResponse& response) {
  for (std::size_t i = 0; i < records; ++i) {
    const std::optional<Record> record = reader.record();
    if (!record) return;
    if (record->type == ns_t_opt) response.rcode |= static_cast<std::uint16_t>(record->ttl >> 24 << 4);
  }
}

}  // namespace

std::optional<DnsResponse> parse_dns_response(std::string_view message) {
  if (message.size() < NS_HFIXEDSZ) return std::nullopt;
  Reader reader(message);
  std::array<std::uint16_t, 6> header{};
  for (std::uint16_t& number : header) number = *reader.number16();
  const auto [id, flags, questions, answers, authorities, additionals] = header;
  if ((flags & response_bit) == 0 || (flags & opcode_bits) != 0) return std::nullopt;
  DnsResponse response;
  response.id = id;
  response.rcode = flags & rcode_bits;
  response.truncated = (flags & truncated_bit) != 0;
  response.damaged = !read_questions(reader, questions, response) || !read_answers(reader, answers, response);
  if (!response.damaged) read_extended_rcode(reader, std::size_t{authorities} + additionals, response);
  return response;
}

}  // namespace nslookout
