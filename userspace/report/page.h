// A report as one HTML file that can be handed on: processes with the names they asked, times, what was matched, blocked, lost.
//
// Invariants: the file needs nothing besides itself, and its Content-Security-Policy lets a browser load nothing and run only
// the script that the build put in (by its SHA-256). Whatever names, arguments and titles hold, they are in one JSON text
// inside an element that is not run, without any "<" in it; the script shows them as text alone. What could hide or reorder
// what stands beside it is escaped (visible.h).
// The page itself is page/: page.html, page.css, model.js (what is to be shown) and view.js (how).
// Sources: HTML Living Standard "Restrictions for contents of script elements", Content Security Policy Level 3.
// Thread rule: pure function.
#pragma once

#include <string>
#include <vector>

#include "base/clock.h"
#include "report/tree.h"

namespace nslookout::report {

struct PageFacts {
  std::string title;    // of a job or a host; may be hostile
  std::string version;  // of nslookout
  WallTime made;
  std::vector<std::string> sources;  // file names
  std::string since;                 // as it was asked for: "24h"; empty: everything
};

[[nodiscard]] std::string page_html(const Tree& tree, const PageFacts& facts);

}  // namespace nslookout::report
