// A set of names with what each stands for, for lists of a million and more: one arena of wire names, 4 octets an entry,
// and a hash index of 5 octets a slot, at most three quarters full.
//
// A name is listed or allowed (an exception), each for itself, for the names below it, or for both. Of the entries that
// apply to a lookup the one with the most labels decides; where a name is both listed and allowed, it is allowed.
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
  bool exact = false;  // the name itself is listed, and not allowed
  bool below = false;  // every name below it is listed, and not allowed
  bool allow_exact = false;
  bool allow_below = false;

  [[nodiscard]] bool listed() const { return exact || below; }
};

class NameTable {
 public:
  enum class Added { yes, known, full };

  // Of names in wire form: about 13 million of them. A list with more has to be split.
  static constexpr std::size_t max_octets = std::size_t{1} << 28;

  // Room for this many names without growing; octets of text they come from.
  void reserve(std::size_t names, std::size_t octets);

  // wire: well-formed, lower case. full: max_octets is reached and the name was left out.
  Added add(std::string_view wire, bool exact, bool below);
  Added allow(std::string_view wire, bool exact, bool below);

  // Entries, listed and allowed.
  [[nodiscard]] std::size_t size() const { return entries_.size(); }
  [[nodiscard]] NameEntry entry(std::size_t index) const;

  // The listed entry that decides about a wire name in lower case. The view of the result is empty when no entry
  // applies, or an allowed one decides.
  [[nodiscard]] NameEntry covering(std::string_view wire) const;

 private:
  static constexpr std::uint32_t list_exact = 1;
  static constexpr std::uint32_t list_below = 2;
  static constexpr std::uint32_t allow_exact = 4;
  static constexpr std::uint32_t allow_below = 8;

  struct Entry {
    std::uint32_t offset : 28;
    std::uint32_t kinds : 4;
  };

  [[nodiscard]] std::string_view wire_of(std::size_t index) const;
  Added enter(std::string_view wire, std::uint32_t kinds);
  // The slot that holds wire, or the empty one where it would go.
  [[nodiscard]] std::size_t slot_of(std::string_view wire, std::uint64_t hash) const;
  void resize_slots(std::size_t names);

  std::vector<char> arena_;
  std::vector<Entry> entries_;
  std::vector<std::uint32_t> slots_;  // index of the entry
  std::vector<std::uint8_t> tags_;    // parallel: octet of the hash, so that other names are seldom looked at; 0: empty
};

}  // namespace nslookout::lists
