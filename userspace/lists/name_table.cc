#include "lists/name_table.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdlib>
#include <cstring>

#include <sys/random.h>

namespace nslookout::lists {
namespace {

// Unknown to whoever writes a list, so that nobody can make names of which all collide.
std::array<std::uint64_t, 2> random_seeds() noexcept {
  std::array<std::uint64_t, 2> seeds{};
  // getrandom of so few octets neither fails nor returns less once the pool is ready (getrandom(2)).
  if (getrandom(seeds.data(), sizeof seeds, 0) != sizeof seeds) std::abort();
  return seeds;
}

const std::array<std::uint64_t, 2>& seeds() {
  static const std::array<std::uint64_t, 2> drawn = random_seeds();
  return drawn;
}

// The two halves of the product together: unlike a product alone, it cannot be run backwards to find texts that meet.
std::uint64_t mix(std::uint64_t one, std::uint64_t other) {
  __extension__ using Wide = unsigned __int128;
  const Wide product = static_cast<Wide>(one) * other;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

std::uint64_t word_at(const char* octets) {
  std::uint64_t word = 0;
  std::memcpy(&word, octets, sizeof word);
  return word;
}

// Eight octets at a time; the last word is made of the eight octets that end the name.
std::uint64_t hash_of(std::string_view wire) {
  const auto [first, second] = seeds();
  std::uint64_t hash = second ^ wire.size();
  std::uint64_t last = 0;
  if (wire.size() < sizeof(std::uint64_t)) {
    for (const char octet : wire) last = last << 8 | static_cast<unsigned char>(octet);
  } else {
    const char* const end = wire.data() + wire.size() - sizeof(std::uint64_t);
    for (const char* at = wire.data(); at < end; at += sizeof(std::uint64_t)) {
      hash = mix(hash ^ word_at(at), first) ^ second;
    }
    last = word_at(end);
  }
  return mix(mix(hash ^ last, first) ^ second, first ^ 0x9E3779B97F4A7C15U);
}

std::uint8_t tag_of(std::uint64_t hash) {
  const auto tag = static_cast<std::uint8_t>(hash >> 56);
  return tag == 0 ? 1 : tag;
}

}  // namespace

void NameTable::reserve(std::size_t names, std::size_t octets) {
  arena_.reserve(std::min(octets + 2 * names, max_octets));
  entries_.reserve(names);
  resize_slots(names);
}

std::string_view NameTable::wire_of(std::size_t index) const {
  const std::size_t begin = entries_[index].offset;
  const std::size_t end = index + 1 < entries_.size() ? entries_[index + 1].offset : arena_.size();
  return {arena_.data() + begin, end - begin};
}

NameEntry NameTable::entry(std::size_t index) const {
  const std::uint32_t kinds = entries_[index].kinds;
  const bool exact_allowed = (kinds & allow_exact) != 0;
  const bool below_allowed = (kinds & allow_below) != 0;
  return {wire_of(index), (kinds & list_exact) != 0 && !exact_allowed, (kinds & list_below) != 0 && !below_allowed,
          exact_allowed, below_allowed};
}

std::size_t NameTable::slot_of(std::string_view wire, std::uint64_t hash) const {
  const std::size_t mask = tags_.size() - 1;
  const std::uint8_t tag = tag_of(hash);
  std::size_t slot = hash & mask;
  while (tags_[slot] != 0 && (tags_[slot] != tag || wire_of(slots_[slot]) != wire)) slot = (slot + 1) & mask;
  return slot;
}

void NameTable::resize_slots(std::size_t names) {
  const std::size_t wanted = std::bit_ceil(std::max<std::size_t>(16, names + names / 3 + 1));
  if (wanted <= slots_.size()) return;
  slots_.assign(wanted, 0);
  tags_.assign(wanted, 0);
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    const std::uint64_t hash = hash_of(wire_of(i));
    const std::size_t slot = slot_of(wire_of(i), hash);
    slots_[slot] = static_cast<std::uint32_t>(i);
    tags_[slot] = tag_of(hash);
  }
}

NameTable::Added NameTable::add(std::string_view wire, bool exact, bool below) {
  return enter(wire, (exact ? list_exact : 0U) | (below ? list_below : 0U));
}

NameTable::Added NameTable::allow(std::string_view wire, bool exact, bool below) {
  return enter(wire, (exact ? allow_exact : 0U) | (below ? allow_below : 0U));
}

NameTable::Added NameTable::enter(std::string_view wire, std::uint32_t kinds) {
  resize_slots(entries_.size() + 1);
  const std::uint64_t hash = hash_of(wire);
  const std::size_t slot = slot_of(wire, hash);
  if (tags_[slot] != 0) {
    entries_[slots_[slot]].kinds |= kinds & 0xFU;
    return Added::known;
  }
  if (arena_.size() + wire.size() > max_octets) return Added::full;
  slots_[slot] = static_cast<std::uint32_t>(entries_.size());
  tags_[slot] = tag_of(hash);
  entries_.push_back({static_cast<std::uint32_t>(arena_.size()) & 0xFFFFFFFU, kinds & 0xFU});
  arena_.insert(arena_.end(), wire.begin(), wire.end());
  return Added::yes;
}

NameEntry NameTable::covering(std::string_view wire) const {
  if (tags_.empty()) return {};
  bool whole = true;
  while (!wire.empty()) {
    const std::size_t slot = slot_of(wire, hash_of(wire));
    if (tags_[slot] != 0) {
      const NameEntry found = entry(slots_[slot]);
      if (whole ? found.allow_exact : found.allow_below) return {};
      if (whole ? found.exact : found.below) return found;
    }
    if (wire[0] == '\0') break;
    wire.remove_prefix(1 + static_cast<unsigned char>(wire[0]));
    whole = false;
  }
  return {};
}

}  // namespace nslookout::lists
