// The kernel's automaton of texts (bpf/texts.h), built in memory: which names have one of some texts in them.
//
// Invariant: for every name n, if a text occurs in n's presentation form (at the beginning or the end of it where the text
// says so, letters of either case), the walk of bpf/texts.h over n finds something. The converse holds but for the root,
// for names with octets that are written with an escape, and where the texts had to be shortened to fit.
//
// Method: Aho and Corasick, "Efficient string matching", 1975, with the failure links worked into the table.
// Thread rule: values.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace nslookout::compile {

// What a name has in it. text is part of a presentation form (base/dns_name.h): lower case, dots between labels.
struct NameText {
  std::string text;
  bool at_start = false;
  bool at_end = false;

  friend bool operator==(const NameText&, const NameText&) = default;
  friend auto operator<=>(const NameText&, const NameText&) = default;
};

struct Automaton {
  std::array<std::uint8_t, 256> symbols{};  // of the octets of labels
  std::uint32_t shift = 0;                  // a row of the table has 1 << shift cells; 0: there are no texts
  std::uint32_t start = 0;                  // the state at the beginning of a name
  std::vector<std::uint16_t> cells;         // by state << shift | symbol: the next state, or NSL_TEXT_FOUND
  std::size_t longest = 0;  // octets of a text that are used: fewer than it has where it had to be shortened

  [[nodiscard]] bool empty() const { return shift == 0; }
};

// Texts may repeat. The table never has more than NSL_TEXT_CELLS cells: if need be, all but the first octets of each
// text are left out, as few as possible.
[[nodiscard]] Automaton build_automaton(const std::vector<NameText>& texts);

}  // namespace nslookout::compile
