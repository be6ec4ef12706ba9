// The specification of an output, as given to --output. Grammar: KIND[:TARGET][?KEY=VALUE[&KEY=VALUE]…].
// Targets and options of every kind are in sink.h, and in docs/outputs.md for users.
// Thread rule: values.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "encode/format.h"

namespace nslookout::sink {

enum class Place { standard_output, file, unix_socket, syslog, journald, otlp, kafka };
enum class Encoding { json_lines, protobuf };
enum class Transport { udp, tcp, tls };

inline constexpr std::uint64_t default_queue_octets = 8u << 20;
inline constexpr std::uint64_t default_spool_cap = 256u << 20;
inline constexpr int facility_daemon = 3;  // RFC 5424 section 6.2.1

struct Spec {
  Place place = Place::standard_output;
  Encoding encoding = Encoding::json_lines;
  std::string path = {};  // of a file or a socket
  encode::Format format = encode::Format::native;

  unsigned mode = 0600;      // of a file that is new
  std::uint64_t rotate = 0;  // octets at which a file is set aside; 0: never
  unsigned keep = 5;         // files set aside that stay

  Transport transport = Transport::udp;  // syslog
  std::string host = {};
  std::uint16_t port = 0;
  int facility = facility_daemon;

  std::string url = {};  // otlp, with the path
  bool gzip = true;
  std::string headers_file = {};

  std::string brokers = {};  // kafka: HOST[:PORT],…
  std::string topic = {};
  std::string properties_file = {};
  bool tls = false;

  std::string ca = {}, certificate = {}, key = {};  // files; of syslog, otlp, kafka

  std::uint64_t queue_octets = default_queue_octets;
  std::string spool = {};  // folder; empty: none
  std::uint64_t spool_cap = default_spool_cap;

  friend bool operator==(const Spec&, const Spec&) = default;

  [[nodiscard]] bool over_network() const {
    return place == Place::syslog || place == Place::otlp || place == Place::kafka;
  }
};

// Errors are of class usage.
[[nodiscard]] Result<Spec> parse_spec(std::string_view text);

// Without its options: for messages, events and metrics.
[[nodiscard]] std::string spec_name(std::string_view text);

// "64K", "10M", "1G" (powers of 1024), or octets.
[[nodiscard]] Result<std::uint64_t> parse_size(std::string_view text);

}  // namespace nslookout::sink
