#include "sink/spec_options.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <string>
#include <vector>

#include <fmt/ranges.h>

namespace nslookout::sink {
namespace {

using Places = std::vector<Place>;

// Says what the value should have been; nothing: it was taken.
using Setter = std::optional<std::string> (*)(Spec& spec, std::string_view value);

struct Option {
  std::string_view key;
  Places places;  // that have it; none: all
  Setter set;
};

template <typename Number>
std::optional<Number> number(std::string_view text, int base = 10) {
  Number value{};
  const char* end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, value, base);
  if (text.empty() || error != std::errc{} || at != end) return std::nullopt;
  return value;
}

std::optional<std::string> set_format(Spec& spec, std::string_view value) {
  const auto format = encode::format_from_name(value);
  if (!format) return "native, ecs or ocsf";
  spec.format = *format;
  return std::nullopt;
}

std::optional<std::string> set_encoding(Spec& spec, std::string_view value) {
  if (value != "json" && value != "protobuf") return "json or protobuf";
  spec.encoding = value == "json" ? Encoding::json_lines : Encoding::protobuf;
  return std::nullopt;
}

std::optional<std::string> set_mode(Spec& spec, std::string_view value) {
  const auto mode = number<unsigned>(value, 8);
  if (!mode || *mode > 0777 || (*mode & 0200) == 0)
    return "a file mode in octal with which its owner can write, such as 0640";
  spec.mode = *mode;
  return std::nullopt;
}

std::optional<std::string> set_size(std::uint64_t& to, std::string_view value, std::uint64_t least) {
  const auto size = parse_size(value);
  if (!size || *size < least) return fmt::format("a size of at least {} octets, such as 64K, 10M or 1G", least);
  to = *size;
  return std::nullopt;
}

std::optional<std::string> set_rotate(Spec& spec, std::string_view value) { return set_size(spec.rotate, value, 4096); }
std::optional<std::string> set_queue(Spec& spec, std::string_view value) {
  return set_size(spec.queue_octets, value, 65536);
}
std::optional<std::string> set_spool_cap(Spec& spec, std::string_view value) {
  return set_size(spec.spool_cap, value, 65536);
}

std::optional<std::string> set_keep(Spec& spec, std::string_view value) {
  const auto count = number<unsigned>(value);
  if (!count || *count == 0 || *count > 1000) return "a number of files from 1 to 1000";
  spec.keep = *count;
  return std::nullopt;
}

std::optional<std::string> set_path(std::string& to, std::string_view value) {
  if (value.empty()) return "a path";
  to = value;
  return std::nullopt;
}

std::optional<std::string> set_spool(Spec& spec, std::string_view value) { return set_path(spec.spool, value); }
std::optional<std::string> set_ca(Spec& spec, std::string_view value) { return set_path(spec.ca, value); }
std::optional<std::string> set_cert(Spec& spec, std::string_view value) { return set_path(spec.certificate, value); }
std::optional<std::string> set_key(Spec& spec, std::string_view value) { return set_path(spec.key, value); }
std::optional<std::string> set_headers(Spec& spec, std::string_view value) {
  return set_path(spec.headers_file, value);
}
std::optional<std::string> set_properties(Spec& spec, std::string_view value) {
  return set_path(spec.properties_file, value);
}

std::optional<std::string> set_switch(bool& to, std::string_view value) {
  if (value != "on" && value != "off") return "on or off";
  to = value == "on";
  return std::nullopt;
}

std::optional<std::string> set_gzip(Spec& spec, std::string_view value) { return set_switch(spec.gzip, value); }
std::optional<std::string> set_tls(Spec& spec, std::string_view value) { return set_switch(spec.tls, value); }

// RFC 5424 section 6.2.1, by the names that syslog.conf(5) has for them.
std::optional<std::string> set_facility(Spec& spec, std::string_view value) {
  constexpr std::array<std::string_view, 12> first = {"kern", "user", "mail", "daemon", "auth",     "syslog",
                                                      "lpr",  "news", "uucp", "cron",   "authpriv", "ftp"};
  if (const auto* found = std::ranges::find(first, value); found != first.end()) {
    spec.facility = static_cast<int>(found - first.begin());
    return std::nullopt;
  }
  constexpr int local0 = 16;
  if (value.size() == 6 && value.starts_with("local") && value.back() >= '0' && value.back() <= '7') {
    spec.facility = local0 + (value.back() - '0');
    return std::nullopt;
  }
  return "a facility of syslog, such as daemon, authpriv or local0";
}

const std::vector<Option>& options() {
  static const Places network = {Place::syslog, Place::otlp, Place::kafka};
  static const std::vector<Option> all = {
      {"format", {}, set_format},
      {"queue", {}, set_queue},
      {"encoding", {Place::unix_socket}, set_encoding},
      {"mode", {Place::file}, set_mode},
      {"rotate", {Place::file}, set_rotate},
      {"keep", {Place::file}, set_keep},
      {"facility", {Place::syslog}, set_facility},
      {"gzip", {Place::otlp}, set_gzip},
      {"headers", {Place::otlp}, set_headers},
      {"tls", {Place::kafka}, set_tls},
      {"properties", {Place::kafka}, set_properties},
      {"ca", network, set_ca},
      {"cert", network, set_cert},
      {"key", network, set_key},
      {"spool", network, set_spool},
      {"spool_cap", network, set_spool_cap},
  };
  return all;
}

bool has(const Option& option, Place place) {
  return option.places.empty() || std::ranges::find(option.places, place) != option.places.end();
}

}  // namespace

Result<void> apply_option(Spec& spec, std::string_view key, std::string_view value, std::string_view text) {
  std::vector<std::string_view> known;
  for (const Option& option : options()) {
    if (!has(option, spec.place)) continue;
    known.push_back(option.key);
    if (option.key != key) continue;
    const std::optional<std::string> wanted = option.set(spec, value);
    if (!wanted) return {};
    return fail(ErrorClass::usage, R"(output "{}": {} is {}, not "{}")", text, key, *wanted, value);
  }
  return fail(ErrorClass::usage, R"(output "{}": it has no option "{}"; it has {})", text, key, fmt::join(known, ", "));
}

Result<void> check_options(const Spec& spec, const GivenOptions& given, std::string_view text) {
  if (spec.encoding == Encoding::protobuf && spec.format != encode::Format::native) {
    return fail(ErrorClass::usage, "output \"{}\": ecs and ocsf are JSON, protobuf has format=native alone", text);
  }
  if (spec.place == Place::syslog && spec.transport != Transport::tls &&
      !(spec.ca + spec.certificate + spec.key).empty()) {
    return fail(ErrorClass::usage, "output \"{}\": ca, cert and key are for TLS; use syslog:tls://", text);
  }
  if (spec.place == Place::otlp && !spec.url.starts_with("https:") &&
      !(spec.ca + spec.certificate + spec.key).empty()) {
    return fail(ErrorClass::usage, "output \"{}\": ca, cert and key are for TLS; use otlp:https://", text);
  }
  if (given.contains("tls") && !spec.tls && !(spec.ca + spec.certificate).empty()) {
    return fail(ErrorClass::usage, "output \"{}\": ca, cert and key are for TLS, and tls is off", text);
  }
  if (given.contains("keep") && spec.rotate == 0) {
    return fail(ErrorClass::usage, "output \"{}\": keep is for files that are set aside; add rotate=10M, say", text);
  }
  if (given.contains("spool_cap") && spec.spool.empty()) {
    return fail(ErrorClass::usage, "output \"{}\": spool_cap is of a spool; add spool=FOLDER", text);
  }
  if (spec.certificate.empty() != spec.key.empty()) {
    return fail(ErrorClass::usage, "output \"{}\": cert and key go together; name both files", text);
  }
  return {};
}

}  // namespace nslookout::sink
