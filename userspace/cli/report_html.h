// The page of report/page.h as a file.
// Thread rule: one thread.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "report/tree.h"

namespace nslookout::cli {

struct PageRequest {
  std::string path;   // "-" is standard output
  std::string title;  // empty: none
  std::vector<std::string> sources;
  std::string since;
};

// Writes it beside its place and moves it there, so that a page is whole or absent; what is no regular file (a pipe, a
// device) is written as it is. Error: runtime.
[[nodiscard]] Result<void> write_page(const report::Tree& tree, const PageRequest& request);

}  // namespace nslookout::cli
