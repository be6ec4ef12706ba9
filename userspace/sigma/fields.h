// The fields a rule may name, and what each is on this sensor. Names of several taxonomies mean the same field: Sigma's
// category dns, Sysmon event 22 (dns_query), Zeek's dns.log and ECS.
//
// A name that is not in the table is kept as Field::other: no lookup on this sensor has such a field, so a test on it
// is false and a test for null true, as the Sigma specification says of a missing field.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace nslookout::sigma {

enum class Field : std::uint8_t {
  query,                // presentation form without the trailing dot (base/dns_name.h)
  record_type,          // by name ("TXT") or number
  answer,               // each record of the answer: an address, or a name or text in presentation form
  rcode,                // by name ("NXDOMAIN") or number
  query_length,         // characters of query, an escape being one
  query_etld_plus_one,  // the part of query that somebody registered (base/public_suffix.h)
  parent_domain,        // query without its first label
  subdomain,            // query without query_etld_plus_one and the dot before it
  reserved_flags,  // the three bits between RA and RCODE of the query's header as a number: Zeek's Z; 2 is AD, 1 is CD
  recursion_desired,  // RD of the query's header: "true" or "false"
  image,              // path of the executable
  command_line,       // arguments joined by spaces
  parent_image,
  parent_command_line,
  current_directory,
  user,
  process_id,
  parent_process_id,
  container_id,
  container_name,
  container_image,
  pod_name,
  pod_namespace,
  server_address,
  server_port,
  source_address,
  source_port,
  time,   // of the lookup, UTC, "2026-03-31T12:34:56Z"
  other,  // any field that has no line above
  any,    // every field there is: a keyword
};

inline constexpr std::size_t field_count = static_cast<std::size_t>(Field::other);  // the known ones

[[nodiscard]] Field field_from_name(std::string_view name);

// Whether a lookup that the sensor takes from the kernel can have the field. The compiler relies on it: a test on a
// field that none has is never true. Lookups from elsewhere (match, replay) may have every field.
[[nodiscard]] bool is_observed(Field field);

// Whether the value is the response's: it is missing while the query alone is known.
[[nodiscard]] bool is_response(Field field);

// Whether the value is a name in presentation form, in which an escape is one character.
[[nodiscard]] bool is_name(Field field);

// Whether the value follows from query alone.
[[nodiscard]] bool is_derived(Field field);

// Whether the value is none of the message: the process that asked, its parent, container and pod, the addresses, the time.
[[nodiscard]] bool is_circumstance(Field field);

// Whether the value is a container runtime's to tell, and so may become known only a while after the lookup.
[[nodiscard]] bool is_told_by_runtime(Field field);

// Whether the value is an address; IPv4-mapped ones are compared as IPv4.
[[nodiscard]] bool is_address(Field field);

}  // namespace nslookout::sigma
