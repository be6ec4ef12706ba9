#include "kernel/unix_request.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/dns_name.h"
#include "base/idna.h"
#include "base/text.h"

namespace nslookout::kernel {
namespace {

using nlohmann::json;

constexpr std::uint16_t type_a = 1;
constexpr std::uint16_t type_ptr = 12;
constexpr std::uint16_t type_aaaa = 28;
constexpr std::uint16_t type_srv = 33;
constexpr std::uint16_t both_addresses = 0;
constexpr std::uint16_t class_internet = 1;

struct Question {
  std::string name;  // presentation form, or UTF-8
  std::uint16_t record_type = both_addresses;
};

std::string reverse_name(std::string_view octets) {
  std::string name;
  for (auto octet = octets.rbegin(); octet != octets.rend(); ++octet) {
    const auto value = static_cast<unsigned char>(*octet);
    name += octets.size() == 4 ? fmt::format("{}.", value) : fmt::format("{:x}.{:x}.", value & 0xFU, value >> 4);
  }
  return name + (octets.size() == 4 ? "in-addr.arpa" : "ip6.arpa");
}

std::uint16_t type_of_family(int family) {
  if (family == AF_INET) return type_a;
  return family == AF_INET6 ? type_aaaa : both_addresses;
}

// ---- varlink

std::optional<std::string> text_at(const json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end() || !found->is_string()) return std::nullopt;
  return found->get<std::string>();
}

std::optional<std::int64_t> number_at(const json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end() || !found->is_number_integer()) return std::nullopt;
  return found->get<std::int64_t>();
}

std::optional<Question> host_question(const json& parameters) {
  auto name = text_at(parameters, "name");
  if (!name) return std::nullopt;
  return Question{std::move(*name), type_of_family(static_cast<int>(number_at(parameters, "family").value_or(0)))};
}

std::optional<Question> address_question(const json& parameters) {
  const auto found = parameters.find("address");
  if (found == parameters.end() || !found->is_array() || (found->size() != 4 && found->size() != 16)) {
    return std::nullopt;
  }
  std::string octets;
  for (const json& octet : *found) {
    if (!octet.is_number_unsigned() || octet.get<std::uint64_t>() > 255) return std::nullopt;
    octets.push_back(static_cast<char>(octet.get<std::uint64_t>()));
  }
  return Question{reverse_name(octets), type_ptr};
}

std::optional<Question> record_question(const json& parameters) {
  auto name = text_at(parameters, "name");
  const auto type = number_at(parameters, "type");
  if (!name || !type || *type < 0 || *type > 0xFFFF) return std::nullopt;
  return Question{std::move(*name), static_cast<std::uint16_t>(*type)};
}

// RFC 6763 section 4.1: instance, service and domain joined; without a service the domain's own SRV.
std::optional<Question> service_question(const json& parameters) {
  const auto domain = text_at(parameters, "domain");
  if (!domain) return std::nullopt;
  std::string name;
  for (const char* part : {"name", "type"}) {
    if (const auto text = text_at(parameters, part); text && !text->empty()) name += *text + ".";
  }
  return Question{name + *domain, type_srv};
}

struct Method {
  std::string_view name;
  std::optional<Question> (*question)(const json& parameters);
};

constexpr Method methods[] = {{"io.systemd.Resolve.ResolveHostname", host_question},
                              {"io.systemd.Resolve.ResolveAddress", address_question},
                              {"io.systemd.Resolve.ResolveRecord", record_question},
                              {"io.systemd.Resolve.ResolveService", service_question}};

// ---- nscd: nscd/nscd-client.h of glibc has the numbers

constexpr std::size_t nscd_header = 12;

std::optional<Question> nscd_question(std::uint32_t type, std::string_view key) {
  const std::string_view text = key.substr(0, key.find('\0'));
  switch (type) {
    case 4:  // GETHOSTBYNAME
      return Question{std::string(text), type_a};
    case 5:  // GETHOSTBYNAMEv6
      return Question{std::string(text), type_aaaa};
    case 6:  // GETHOSTBYADDR
    case 7:  // GETHOSTBYADDRv6
      if (key.size() != (type == 6 ? 4U : 16U)) return std::nullopt;
      return Question{reverse_name(key), type_ptr};
    case 14:  // GETAI
      return Question{std::string(text), both_addresses};
    default:
      return std::nullopt;
  }
}

// ---- both

void add(UnixLookups& found, const nsl_unix_request& request, const std::optional<Question>& question) {
  const auto ascii = question ? labels_to_ascii(question->name) : fail(ErrorClass::invalid, "no question");
  const auto wire = ascii ? presentation_to_wire(*ascii) : ascii;
  if (!wire) {
    ++found.unread;
    return;
  }
  nsl_candidate candidate = request.candidate;
  candidate.record_type = question->record_type;
  candidate.record_class = class_internet;
  candidate.question_count = 1;
  candidate.name_length = static_cast<nsl_u16>(wire->size());
  std::memcpy(candidate.name, wire->data(), wire->size());
  found.lookups.push_back(candidate);
}

// JSON's blanks aside, a call begins as an object: whoever writes zero octets alone should not have them parsed a thousand
// times.
bool may_be_call(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  return first != std::string_view::npos && text[first] == '{';
}

void add_varlink(UnixLookups& found, const nsl_unix_request& request, std::string_view text) {
  const json call = may_be_call(text) ? json::parse(text, nullptr, false) : json();
  const auto method = call.is_object() ? text_at(call, "method") : std::nullopt;
  if (!method) {
    ++found.unread;
    return;
  }
  const auto* known = std::ranges::find(methods, *method, &Method::name);
  if (known == std::end(methods)) return;
  const auto parameters = call.find("parameters");
  add(found, request,
      parameters != call.end() && parameters->is_object() ? known->question(*parameters) : std::nullopt);
}

}  // namespace

UnixLookups lookups_of(const nsl_unix_request& request) {
  UnixLookups found;
  std::string_view octets(reinterpret_cast<const char*>(request.octets),
                          std::min<std::size_t>(request.length, NSL_REQUEST_MAX));
  if (request.candidate.transport == NSL_NSCD) {
    std::uint32_t header[3] = {};
    if (octets.size() >= nscd_header) std::memcpy(header, octets.data(), nscd_header);
    const bool whole = octets.size() >= nscd_header && octets.size() - nscd_header >= header[2];
    add(found, request, whole ? nscd_question(header[1], octets.substr(nscd_header, header[2])) : std::nullopt);
    return found;
  }
  while (!octets.empty()) {
    const bool whole = octets.find('\0') != std::string_view::npos;
    const std::string_view call = take_until(octets, '\0');
    if (whole) {
      add_varlink(found, request, call);
    } else {
      ++found.unread;
    }
  }
  return found;
}

}  // namespace nslookout::kernel
