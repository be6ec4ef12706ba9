// The fields of a lookup that follow from its name: query_length, query_etld_plus_one, parent_domain, subdomain
// (sigma/fields.h says what each is). Pure function.
#pragma once

#include <vector>

#include "match/query.h"

namespace nslookout::match {

// Of each name that the lookup has (one, as a rule), where it has such a part. Nothing for another field.
[[nodiscard]] std::vector<FieldText> derived_values(const Query& query, sigma::Field field);

}  // namespace nslookout::match
