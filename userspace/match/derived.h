// The fields of a lookup that follow from its name: query_length, query_etld_plus_one, parent_domain, subdomain
// (sigma/fields.h says what each is). Pure function.
#pragma once

#include <optional>

#include "match/query.h"

namespace nslookout::match {

// Nothing for another field, for a lookup without a name, and where the name has no such part.
[[nodiscard]] std::optional<FieldText> derived_value(const Query& query, sigma::Field field);

}  // namespace nslookout::match
