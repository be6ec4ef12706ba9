// Tables with a column of names: CSV (RFC 4180) with commas, semicolons or tabs. Lines that start with # are comments.
//
// The column is given by its name in the header, without case, or by its number from 1. Where none is given it is the
// first with a usual title (domain, hostname, indicator …); of a table without a header the first that has a dotted name in
// the first row. The header may stand in a comment, with as many titles as the first row has cells. A first row without a dotted
// name in the column is the header.
// A row without a value in the column is a bad line.
#pragma once

#include <string_view>

#include "base/result.h"
#include "lists/collector.h"
#include "lists/name_table.h"

namespace nslookout::lists {

// Errors: invalid, there is no such column, or none that could be meant; the columns there are are named.
[[nodiscard]] Result<Report> parse_csv(std::string_view text, Scope scope, std::string_view column, NameTable& table);

}  // namespace nslookout::lists
