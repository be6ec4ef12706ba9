#include "harness.h"
#include "wire.h"
#include "wire_shapes.h"

namespace nslookout::kernel_test {

namespace {

// A header that announces one question, then these octets.
std::string header_then(const std::string& octets) {
  return Message{.question_count = std::uint16_t{1}, .rest = octets}.octets();
}

WireShape refused(std::string name, std::string datagram) {
  return {.name = std::move(name), .datagrams = {std::move(datagram)}, .every_query = true, .not_dns_at_least = 1};
}

std::string name_of_256_octets() {
  std::vector<std::string> labels(3, std::string(63, 'x'));
  labels.emplace_back(62, 'y');
  return wire_labels(labels);
}

}  // namespace

std::vector<WireShape> malformed_shapes() {
  using std::string_literals::operator""s;
  const auto whole = query(wire_name("hit." + zone()));
  const auto class_and_type = big_endian16(1) + big_endian16(1);
  std::vector<WireShape> shapes = {
      refused("pointer_to_itself", header_then("\xc0\x0c"s + class_and_type)),
      refused("label_then_pointer_to_itself", header_then("\3abc\xc0\x0c"s + class_and_type)),
      refused("pointers_at_each_other", header_then("\xc0\x0e\xc0\x0c"s + class_and_type)),
      refused("pointer_beyond_the_end", header_then("\xff\xff"s + class_and_type)),
      refused("name_without_end", header_then("\3abc\4test")),
      refused("label_longer_than_the_datagram", header_then("\77abc"s)),
      refused("name_of_256_octets", query(name_of_256_octets())),
      refused("labels_128", query(wire_labels(std::vector<std::string>(NSL_LABELS_MAX + 1, "z")))),
      refused("endless_labels", header_then(std::string(1400, '\1'))),
      refused("no_type", whole.substr(0, whole.size() - 4)),
      refused("type_of_one_octet", whole.substr(0, whole.size() - 3)),
      refused("no_class", whole.substr(0, whole.size() - 2)),
      refused("class_of_one_octet", whole.substr(0, whole.size() - 1)),
      refused("second_name_is_a_pointer_loop",
              Message{.questions = {{.name = "\xc0\x0c"s}}, .question_count = 1}.octets()),
  };
  WireShape short_ones{.name = "datagrams_of_0_to_16_octets", .datagrams = {}, .every_query = true};
  for (std::size_t octets = 0; octets <= 16; ++octets) short_ones.datagrams.push_back(whole.substr(0, octets));
  shapes.push_back(std::move(short_ones));

  WireShape long_labels{
      .name = "label_lengths_64_to_255", .datagrams = {}, .every_query = true, .not_dns_at_least = 192};
  for (unsigned length = 64; length <= 255; ++length) {
    long_labels.datagrams.push_back(header_then(std::string(1, static_cast<char>(length)) + std::string(length, 'a') +
                                                "\4test\0"s + class_and_type));
  }
  shapes.push_back(std::move(long_labels));

  WireShape cuts{.name = "a_query_cut_at_every_octet", .datagrams = {}, .every_query = true};
  for (std::size_t octets = 12; octets < whole.size(); ++octets) cuts.datagrams.push_back(whole.substr(0, octets));
  shapes.push_back(std::move(cuts));
  return shapes;
}

std::vector<WireShape> foreign_shapes() {
  using std::string_literals::operator""s;
  WireShape noise{.name = "random_1400_octets", .datagrams = {}, .every_query = true, .not_dns_at_least = 1000};
  WireShape wireguard{.name = "wireguard_handshakes", .datagrams = {}, .every_query = true, .not_dns_at_least = 200};
  WireShape quic{.name = "quic_initials", .datagrams = {}, .every_query = true, .not_dns_at_least = 200};
  for (std::uint32_t seed = 1; seed <= 1000; ++seed) noise.datagrams.push_back(random_octets(1400, seed));
  for (std::uint32_t seed = 1; seed <= 200; ++seed) {
    // WireGuard's handshake initiation: type 1, three reserved octets, then index, keys and macs; 148 octets.
    wireguard.datagrams.push_back("\1\0\0\0"s + random_octets(144, seed));
    // RFC 9000 section 17.2.2: long header, version 1, a connection id of eight octets, padded to 1200 octets.
    quic.datagrams.push_back("\xc3\0\0\0\1\x08"s + random_octets(1194, seed));
  }
  return {noise,
          wireguard,
          quic,
          {.name = "tcp_framing_in_a_datagram",
           .datagrams = {"\0\x20"s + query(wire_name("hit." + zone()))},
           .every_query = true,
           .not_dns_at_least = 1},
          {.name = "http_request",
           .datagrams = {"GET / HTTP/1.1\r\nHost: example.com\r\nAccept: */*\r\n\r\n"},
           .every_query = true,
           .not_dns_at_least = 1}};
}

}  // namespace nslookout::kernel_test
