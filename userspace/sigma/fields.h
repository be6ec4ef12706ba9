// The fields a rule may name, and what each is on this sensor. Names of several taxonomies mean the same field: Sigma's
// category dns, Sysmon event 22 (dns_query), Zeek's dns.log and ECS.
//
// A name that is not in the table is kept as Field::other: no lookup on this sensor has such a field, so a test on it
// is false and a test for null true, as the Sigma specification says of a missing field.
#pragma once

#include <cstddef>
#include <string_view>

namespace nslookout::sigma {

enum class Field {
  query,         // presentation form without the trailing dot (base/dns_name.h)
  record_type,   // by name ("TXT") or number
  image,         // path of the executable
  command_line,  // arguments joined by spaces
  user,
  process_id,
  parent_image,
  other,
};

inline constexpr std::size_t field_count = static_cast<std::size_t>(Field::other);  // the known ones

[[nodiscard]] Field field_from_name(std::string_view name);

}  // namespace nslookout::sigma
