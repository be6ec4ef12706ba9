#include "sink/spec.h"

#include <sys/un.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "base/text.h"
#include "sink/spec_options.h"

namespace nslookout::sink {
namespace {

constexpr std::string_view known_kinds =
    "stdout, jsonl:FILE, protobuf:FILE, unix:SOCKET, syslog:udp://HOST, journald, otlp:URL, kafka:BROKERS/TOPIC";
constexpr std::uint16_t syslog_port = 514;       // RFC 5426 section 3.3, and what is used for TCP
constexpr std::uint16_t syslog_tls_port = 6514;  // RFC 5425 section 4.1

Result<void> apply_kind(Spec& spec, std::string_view kind, std::string_view text) {
  struct Kind {
    std::string_view name;
    Place place;
    Encoding encoding;
  };
  constexpr std::array<Kind, 8> kinds = {{{"stdout", Place::standard_output, Encoding::json_lines},
                                          {"jsonl", Place::file, Encoding::json_lines},
                                          {"protobuf", Place::file, Encoding::protobuf},
                                          {"unix", Place::unix_socket, Encoding::json_lines},
                                          {"syslog", Place::syslog, Encoding::json_lines},
                                          {"journald", Place::journald, Encoding::json_lines},
                                          {"otlp", Place::otlp, Encoding::json_lines},
                                          {"kafka", Place::kafka, Encoding::json_lines}}};
  const auto* found = std::ranges::find(kinds, kind, &Kind::name);
  if (found == kinds.end()) {
    return fail(ErrorClass::usage, "output \"{}\" is not known; use one of {}", text, known_kinds);
  }
  spec.place = found->place;
  spec.encoding = found->encoding;
  return {};
}

Result<void> apply_path(Spec& spec, std::string_view path, std::string_view text) {
  if (spec.place == Place::file && path == "-") {
    spec.place = Place::standard_output;
    return {};
  }
  if (spec.place != Place::file && path.size() >= sizeof sockaddr_un{}.sun_path) {
    return fail(ErrorClass::usage, "output \"{}\": the path of a socket has at most {} octets", text,
                sizeof sockaddr_un{}.sun_path - 1);
  }
  spec.path = path;
  return {};
}

struct HostAndPort {
  std::string host;
  std::string_view port;  // empty: none was given
};

// "host", "host:514", "192.0.2.1:514", "[2001:db8::1]:514".
HostAndPort split_host(std::string_view text) {
  std::string_view host = text;
  std::string_view after;
  if (text.starts_with('[') && text.find(']') != std::string_view::npos) {
    host = text.substr(1, text.find(']') - 1);
    after = text.substr(text.find(']') + 1);
  } else if (const std::size_t colon = text.rfind(':'); colon != std::string_view::npos) {
    host = text.substr(0, colon);
    after = text.substr(colon);
  }
  return {std::string(host), after.starts_with(':') ? after.substr(1) : after};
}

Result<void> apply_syslog(Spec& spec, std::string_view target, std::string_view text) {
  const std::size_t end = target.find("://");
  const std::string_view scheme = target.substr(0, end);
  if (end == std::string_view::npos || (scheme != "udp" && scheme != "tcp" && scheme != "tls")) {
    return fail(ErrorClass::usage,
                "output \"{}\": name the way and the receiver, such as syslog:udp://HOST, syslog:tcp://HOST:514 or "
                "syslog:tls://HOST:6514",
                text);
  }
  spec.transport = scheme == "udp" ? Transport::udp : scheme == "tcp" ? Transport::tcp : Transport::tls;
  spec.port = spec.transport == Transport::tls ? syslog_tls_port : syslog_port;
  std::string_view rest = target.substr(end + 3);
  if (rest.ends_with('/')) rest.remove_suffix(1);
  const HostAndPort place = split_host(rest);
  spec.host = place.host;
  if (!place.port.empty()) {
    const char* port_end = place.port.data() + place.port.size();
    const auto [at, error] = std::from_chars(place.port.data(), port_end, spec.port);
    if (error != std::errc{} || at != port_end || spec.port == 0) {
      return fail(ErrorClass::usage, "output \"{}\": \"{}\" is no port; a port is a number from 1 to 65535", text,
                  place.port);
    }
  }
  if (spec.host.empty() || spec.host.find('/') != std::string::npos) {
    return fail(ErrorClass::usage, "output \"{}\" lacks the receiver's host, as in syslog:{}://HOST", text, scheme);
  }
  return {};
}

Result<void> apply_otlp(Spec& spec, std::string_view target, std::string_view text) {
  constexpr std::string_view default_path = "/v1/logs";
  const std::size_t end = target.find("://");
  const std::string_view scheme = target.substr(0, end);
  if (end == std::string_view::npos || (scheme != "http" && scheme != "https") || target.size() == end + 3) {
    return fail(
        ErrorClass::usage,
        "output \"{}\": name the collector's URL, such as otlp:http://localhost:4318 (its HTTP port, not that of "
        "gRPC)",
        text);
  }
  const std::string_view place = target.substr(end + 3);
  if (place.find('@') != std::string_view::npos) {
    return fail(
        ErrorClass::usage,
        "output: a password in an otlp URL would be seen by everybody on this host; put a header into a file and "
        "name it with headers=FILE");
  }
  spec.url = target;
  const std::size_t path = place.find('/');
  if (path == std::string_view::npos || path + 1 == place.size()) {
    if (spec.url.ends_with('/')) spec.url.pop_back();
    spec.url += default_path;
  }
  return {};
}

Result<void> apply_kafka(Spec& spec, std::string_view target, std::string_view text) {
  const std::size_t slash = target.rfind('/');
  const std::string_view topic = slash == std::string_view::npos ? std::string_view{} : target.substr(slash + 1);
  const bool legal = std::ranges::all_of(topic, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
           c == '-';
  });
  if (slash == 0 || topic.empty() || !legal || topic.size() > 249) {
    return fail(
        ErrorClass::usage,
        "output \"{}\": name brokers and a topic, such as kafka:broker1:9092,broker2:9092/dns (letters, digits, "
        "'.', '_' and '-' in a topic)",
        text);
  }
  spec.brokers = target.substr(0, slash);
  spec.topic = topic;
  return {};
}

Result<void> apply_target(Spec& spec, std::string_view target, std::string_view text) {
  switch (spec.place) {
    case Place::standard_output:
      if (target.empty()) return {};
      return fail(ErrorClass::usage, "output \"{}\": stdout takes no path; use jsonl:FILE for a file", text);
    case Place::journald:
      return target.empty() ? Result<void>{} : apply_path(spec, target, text);
    case Place::syslog:
      return apply_syslog(spec, target, text);
    case Place::otlp:
      return apply_otlp(spec, target, text);
    case Place::kafka:
      return apply_kafka(spec, target, text);
    case Place::file:
    case Place::unix_socket:
      break;
  }
  if (target.empty()) return fail(ErrorClass::usage, "output \"{}\" lacks a path; use one of {}", text, known_kinds);
  return apply_path(spec, target, text);
}

}  // namespace

Result<std::uint64_t> parse_size(std::string_view text) {
  std::uint64_t value = 0;
  const char* end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, value);
  const std::string_view unit(at, static_cast<std::size_t>(end - at));
  const unsigned shift = unit == "K" ? 10 : unit == "M" ? 20 : unit == "G" ? 30 : 0;
  if (error != std::errc{} || (shift == 0 && !unit.empty()) || value > (UINT64_MAX >> shift)) {
    return fail(ErrorClass::usage, "\"{}\" is no size", text);
  }
  return value << shift;
}

std::string spec_name(std::string_view text) { return std::string(text.substr(0, text.find('?'))); }

Result<Spec> parse_spec(std::string_view text) {
  Spec spec;
  GivenOptions given;
  std::string_view options = text;
  std::string_view target = take_until(options, '?');
  const std::string_view kind = take_until(target, ':');
  if (auto applied = apply_kind(spec, kind, text); !applied) return fail(applied.error());
  if (auto applied = apply_target(spec, target, text); !applied) return fail(applied.error());
  while (!options.empty()) {
    std::string_view value = take_until(options, '&');
    const std::string_view key = take_until(value, '=');
    if (auto applied = apply_option(spec, key, value, text); !applied) return fail(applied.error());
    if (!given.insert(key).second) return fail(ErrorClass::usage, R"(output "{}": {} is given twice)", text, key);
  }
  if (auto checked = check_options(spec, given, text); !checked) return fail(checked.error());
  return spec;
}

}  // namespace nslookout::sink
