#include "compile/automaton.h"

#include <algorithm>
#include <bit>
#include <deque>
#include <limits>
#include <map>
#include <optional>
#include <string_view>

#include "base/dns_name.h"
#include "bpf/abi.h"

namespace nslookout::compile {
namespace {

using Symbol = std::uint32_t;
constexpr std::uint32_t no_state = std::numeric_limits<std::uint32_t>::max();

// A dot in a text separates labels; what is written with an escape, the dot in a label too, has no symbol of its own.
bool has_own_symbol(unsigned char octet) {
  const std::string label{1, static_cast<char>(octet), 0};
  return wire_to_presentation(label).size() == 1;
}

struct Alphabet {
  std::array<std::uint8_t, 256> symbols{};
  Symbol count = NSL_SYMBOL_FIRST_FREE;
  Symbol begin = 0;  // the beginning of a name: only ever the first of a text, and in no row of the table

  explicit Alphabet(const std::vector<NameText>& texts) {
    for (int octet = 0; octet < 256; ++octet) {
      symbols[octet] = has_own_symbol(static_cast<unsigned char>(octet)) ? NSL_SYMBOL_OTHER : NSL_SYMBOL_ESCAPED;
    }
    for (const NameText& text : texts) {
      for (const char c : text.text) add(static_cast<unsigned char>(c));
    }
    for (int c = 'A'; c <= 'Z'; ++c) symbols[c] = symbols[c - 'A' + 'a'];
    begin = count;
  }

  [[nodiscard]] Symbol of(char c) const {
    return c == '.' ? Symbol{NSL_SYMBOL_DOT} : symbols[static_cast<unsigned char>(c)];
  }

 private:
  void add(unsigned char octet) {
    if (octet == '.' || symbols[octet] != NSL_SYMBOL_OTHER) return;
    symbols[octet] = static_cast<std::uint8_t>(count++);
  }
};

std::vector<Symbol> spell(const NameText& text, std::size_t longest, const Alphabet& alphabet) {
  const std::string_view used = std::string_view(text.text).substr(0, longest);
  std::vector<Symbol> symbols;
  if (text.at_start) symbols.push_back(alphabet.begin);
  for (const char c : used) symbols.push_back(alphabet.of(c));
  if (text.at_end && used.size() == text.text.size()) symbols.push_back(NSL_SYMBOL_END);
  return symbols;
}

class Trie {
 public:
  explicit Trie(std::size_t width) : width_(width) { add_state(); }

  // False when there are too many states for the table.
  bool add(const std::vector<Symbol>& symbols, std::size_t most) {
    std::uint32_t state = 0;
    for (const Symbol symbol : symbols) {
      if (found_[state]) return true;  // a shorter text says it already
      if (next(state, symbol) == no_state) {
        if (found_.size() >= most) return false;
        const std::uint32_t added = add_state();
        next(state, symbol) = added;
      }
      state = next(state, symbol);
    }
    found_[state] = true;
    return true;
  }

  // Fills in every transition, so that no text is missed that begins inside another.
  void complete() {
    std::vector<std::uint32_t> fallback(found_.size(), 0);
    std::deque<std::uint32_t> queue{0};
    while (!queue.empty()) {
      const std::uint32_t state = queue.front();
      queue.pop_front();
      for (Symbol symbol = 0; symbol < width_; ++symbol) {
        const std::uint32_t elsewhere = state == 0 ? 0 : next(fallback[state], symbol);
        std::uint32_t& to = next(state, symbol);
        if (to == no_state) {
          to = elsewhere;
          continue;
        }
        fallback[to] = elsewhere;
        if (found_[elsewhere]) found_[to] = true;
        queue.push_back(to);
      }
    }
  }

  [[nodiscard]] std::uint32_t after(std::uint32_t state, Symbol symbol) const { return next_[state * width_ + symbol]; }
  [[nodiscard]] bool found(std::uint32_t state) const { return found_[state]; }
  [[nodiscard]] std::size_t states() const { return found_.size(); }

 private:
  std::uint32_t& next(std::uint32_t state, Symbol symbol) { return next_[state * width_ + symbol]; }

  std::uint32_t add_state() {
    next_.resize(next_.size() + width_, no_state);
    found_.push_back(false);
    return static_cast<std::uint32_t>(found_.size() - 1);
  }

  std::size_t width_;
  std::vector<std::uint32_t> next_;
  std::vector<bool> found_;
};

std::optional<Trie> plant(const std::vector<NameText>& texts, std::size_t longest, const Alphabet& alphabet,
                          std::size_t most) {
  Trie trie(alphabet.count + 1);  // and the beginning
  for (const NameText& text : texts) {
    // A name with such a text has an escape in it, and those are found by their escape.
    if (text.text.find('\\') != std::string::npos) continue;
    if (!trie.add(spell(text, longest, alphabet), most)) return std::nullopt;
  }
  trie.complete();
  return trie;
}

std::vector<std::uint16_t> lay_out(const Trie& trie, const Alphabet& alphabet, std::uint32_t shift) {
  std::vector<std::uint16_t> cells(trie.states() << shift, 0);
  for (std::uint32_t state = 0; state < trie.states(); ++state) {
    for (Symbol symbol = 0; symbol < alphabet.count; ++symbol) {
      const std::uint32_t to = trie.after(state, symbol);
      const bool found = trie.found(to) || symbol == NSL_SYMBOL_ESCAPED;
      cells[(state << shift) | symbol] = static_cast<std::uint16_t>(found ? NSL_TEXT_FOUND : to);
    }
  }
  return cells;
}

}  // namespace

Automaton build_automaton(const std::vector<NameText>& texts) {
  Automaton automaton;
  if (texts.empty()) return automaton;
  const Alphabet alphabet(texts);
  automaton.symbols = alphabet.symbols;
  automaton.shift = static_cast<std::uint32_t>(std::bit_width(alphabet.count - 1));
  const std::size_t most = std::min<std::size_t>(NSL_TEXT_CELLS >> automaton.shift, NSL_TEXT_FOUND);

  for (const NameText& text : texts) automaton.longest = std::max(automaton.longest, text.text.size());
  std::optional<Trie> trie = plant(texts, automaton.longest, alphabet, most);
  while (!trie) trie = plant(texts, --automaton.longest, alphabet, most);

  const std::uint32_t start = trie->after(0, alphabet.begin);
  automaton.cells = lay_out(*trie, alphabet, automaton.shift);
  automaton.start = trie->found(start) || trie->found(0) ? NSL_TEXT_FOUND : start;
  return automaton;
}

}  // namespace nslookout::compile
