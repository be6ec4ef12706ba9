// Collections: documents that change those behind them in the same file (`action: global`, `reset`, `repeat`; from Sigma
// before its specification 2, and still in use).
//
//   global  its keys go into every later document; where both have one, that of the global document counts
//   reset   no global document any more
//   repeat  the document before, with the keys of this one over it
#pragma once

#include <cstddef>
#include <optional>

#include "sigma/findings.h"
#include "sigma/yaml_tree.h"

namespace nslookout::sigma {

inline constexpr std::size_t max_collection_nodes = 5'000'000;  // that actions add to the documents of one file

class Collection {
 public:
  // The documents of a file in their order; of each the one to read instead. Nothing for one that only acts on others or is
  // refused already, and, with an error, for one that is no map, has an unknown action, builds on a document that is
  // refused, or makes the file larger than it may be.
  [[nodiscard]] std::optional<YamlNode> next(const YamlNode& document, Findings& findings);

 private:
  void refuse(const YamlNode& document);

  std::optional<YamlNode> global_;
  std::optional<YamlNode> previous_;
  bool global_refused_ = false;
  bool previous_refused_ = false;
  std::size_t added_ = 0;
};

}  // namespace nslookout::sigma
