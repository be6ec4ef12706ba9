// The specification of a list, as given to --list. Grammar: exact:FILE or suffix:FILE, then [?KEY=VALUE[&KEY=VALUE]…].
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "lists/collector.h"
#include "lists/format.h"

namespace nslookout::lists {

struct Spec {
  Scope scope = Scope::exact;
  std::string file;
  std::optional<Format> format;  // format=NAME; detected where there is none
  std::string column;            // column=NAME|NUMBER, of a CSV list; implies that format
  std::string level = "high";    // level=NAME, of its hits

  friend bool operator==(const Spec&, const Spec&) = default;
};

// Errors are of class usage.
[[nodiscard]] Result<Spec> parse_spec(std::string_view text);

}  // namespace nslookout::lists
