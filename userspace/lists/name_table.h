// A set of names with what each stands for, for lists of a million and more: one arena of wire names, 4 octets an entry,
// and a hash index of 4 octets a slot, at most half full.
//
// Invariants: names are well-formed wire names in lower case, each once; what two additions of one name stand for is
// united. Views into the table stay valid until the next addition, and across moves of the table.
// Thread rule: reading from any number of threads; additions from one, alone.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace nslookout::lists {

struct NameEntry {
  std::string_view wire;
  bool exact = false;  // the name itself
  bool below = false;  // every name below it
};

class NameTable {
 public:
  enum class Added { yes, known, full };

  // Room for this many names without growing; octets of text they come from.
  void reserve(std::size_t names, std::size_t octets);

  // wire: well-formed, lower case. full: the arena's limit of 1 GiB is reached and the name was left out.
  Added add(std::string_view wire, bool exact, bool below);

  [[nodiscard]] std::size_t size() const { return entries_.size(); }
  [[nodiscard]] NameEntry entry(std::size_t index) const;

  // The entry that covers a wire name in lower case: itself as exact, or the longest suffix as below. The view of the
  // result is empty when there is none.
  [[nodiscard]] NameEntry covering(std::string_view wire) const;

 private:
  struct Entry {
    std::uint32_t offset : 30;
    std::uint32_t exact : 1;
    std::uint32_t below : 1;
  };

  [[nodiscard]] std::string_view wire_of(std::size_t index) const;
  // The slot that holds wire, or the empty one where it would go.
  [[nodiscard]] std::size_t slot_of(std::string_view wire) const;
  void resize_slots(std::size_t names);

  std::vector<char> arena_;
  std::vector<Entry> entries_;
  std::vector<std::uint32_t> slots_;  // index of the entry plus one; 0 is empty
};

}  // namespace nslookout::lists
