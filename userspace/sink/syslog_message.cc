#include "sink/syslog_message.h"

#include <unistd.h>

#include <array>

#include <fmt/format.h>

#include "encode/fields.h"
#include "encode/summary.h"

namespace nslookout::sink {
namespace {

// RFC 5424 section 6: printable ASCII without spaces, not more than so many octets; "-" for nothing.
std::string header_field(std::string_view text, std::size_t most) {
  std::string field(text.substr(0, most));
  for (char& c : field) {
    if (c < '!' || c > '~') c = '?';
  }
  return field.empty() ? "-" : field;
}

// Section 6.3.3.
std::string parameter(std::string_view text) {
  std::string value;
  for (const char c : header_field(text, 32)) {
    if (c == '"' || c == '\\' || c == ']') value += '\\';
    value += c;
  }
  return value;
}

std::string timestamp(WallTime time) {
  if (time == WallTime{}) return "-";
  constexpr std::size_t up_to_microseconds = 26;  // section 6.2.3 allows six digits
  return encode::iso_time(time).substr(0, up_to_microseconds) + "Z";
}

std::string structured_data(const event::Event& event) {
  constexpr std::uint64_t last_sequence = 2'147'483'647;  // section 7.3.1
  std::string text = "[origin software=\"nslookout\"";
  if (event.sensor) text += fmt::format(" swVersion=\"{}\"", parameter(event.sensor->version));
  text += ']';
  if (event.sequence > 0) text += fmt::format("[meta sequenceId=\"{}\"]", (event.sequence - 1) % last_sequence + 1);
  return text;
}

}  // namespace

int syslog_severity(const event::Event& event) {
  constexpr std::array<int, 6> severities = {6, 6, 5, 4, 3, 2};
  if (event.kind == event::Kind::loss) return 4;
  return severities.at(static_cast<std::size_t>(encode::severity(event)));
}

std::string syslog_message(const event::Event& event, std::string_view line, int facility, std::string_view host_name) {
  const std::string_view host = event.host ? std::string_view(event.host->name) : host_name;
  return fmt::format("<{}>1 {} {} nslookout {} {} {} {}", facility * 8 + syslog_severity(event), timestamp(event.time),
                     header_field(host, 255), ::getpid(), encode::kind_word(event.kind), structured_data(event), line);
}

}  // namespace nslookout::sink
