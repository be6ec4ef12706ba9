#include "lists/name_table.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace nslookout::lists {
namespace {

constexpr std::size_t arena_limit = std::size_t{1} << 30;

std::uint64_t mix(std::uint64_t value) {
  value ^= value >> 32;
  value *= 0xd6e8feb86659fd93U;  // an odd constant with half its bits set
  return value ^ (value >> 29);
}

std::uint64_t hash_of(std::string_view wire) {
  std::uint64_t hash = wire.size();
  while (wire.size() >= sizeof(std::uint64_t)) {
    std::uint64_t word = 0;
    std::memcpy(&word, wire.data(), sizeof word);
    hash = mix(hash ^ word) * 0x9e3779b97f4a7c15U;
    wire.remove_prefix(sizeof word);
  }
  std::uint64_t rest = 0;
  std::memcpy(&rest, wire.data(), wire.size());
  return mix(mix(hash ^ rest));
}

}  // namespace

void NameTable::reserve(std::size_t names, std::size_t octets) {
  arena_.reserve(std::min(octets + 2 * names, arena_limit));
  entries_.reserve(names);
  resize_slots(names);
}

std::string_view NameTable::wire_of(std::size_t index) const {
  const std::size_t begin = entries_[index].offset;
  const std::size_t end = index + 1 < entries_.size() ? entries_[index + 1].offset : arena_.size();
  return {arena_.data() + begin, end - begin};
}

NameEntry NameTable::entry(std::size_t index) const {
  return {wire_of(index), entries_[index].exact != 0, entries_[index].below != 0};
}

std::size_t NameTable::slot_of(std::string_view wire) const {
  const std::size_t mask = slots_.size() - 1;
  std::size_t slot = hash_of(wire) & mask;
  while (slots_[slot] != 0 && wire_of(slots_[slot] - 1) != wire) slot = (slot + 1) & mask;
  return slot;
}

void NameTable::resize_slots(std::size_t names) {
  const std::size_t wanted = std::bit_ceil(std::max<std::size_t>(16, 2 * names));
  if (wanted <= slots_.size()) return;
  slots_.assign(wanted, 0);
  for (std::size_t i = 0; i < entries_.size(); ++i) slots_[slot_of(wire_of(i))] = static_cast<std::uint32_t>(i + 1);
}

NameTable::Added NameTable::add(std::string_view wire, bool exact, bool below) {
  resize_slots(entries_.size() + 1);
  const std::size_t slot = slot_of(wire);
  if (slots_[slot] != 0) {
    Entry& known = entries_[slots_[slot] - 1];
    known.exact |= exact ? 1U : 0U;
    known.below |= below ? 1U : 0U;
    return Added::known;
  }
  if (arena_.size() + wire.size() > arena_limit) return Added::full;
  entries_.push_back({static_cast<std::uint32_t>(arena_.size()), exact ? 1U : 0U, below ? 1U : 0U});
  arena_.insert(arena_.end(), wire.begin(), wire.end());
  slots_[slot] = static_cast<std::uint32_t>(entries_.size());
  return Added::yes;
}

NameEntry NameTable::covering(std::string_view wire) const {
  if (slots_.empty()) return {};
  bool whole = true;
  while (!wire.empty()) {
    const std::size_t slot = slot_of(wire);
    if (slots_[slot] != 0) {
      const NameEntry found = entry(slots_[slot] - 1);
      if (whole ? found.exact : found.below) return found;
    }
    if (wire[0] == '\0') break;
    wire.remove_prefix(1 + static_cast<unsigned char>(wire[0]));
    whole = false;
  }
  return {};
}

}  // namespace nslookout::lists
