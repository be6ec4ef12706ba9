// Work on a large array, divided among a few CPUs: filling tables with a million names.
//
//   const std::size_t parts = parts_for(names.size());
//   in_parts(names.size(), parts, [&](std::size_t part, std::size_t begin, std::size_t end) { … });
//
// Thread rule: the parts run at the same time, one of them in the caller's thread; the call returns when all have ended.
// What a part throws comes out of the call, once all have ended.
#pragma once

#include <cstddef>
#include <functional>

namespace nslookout {

// How many parts are worth their threads: one for a small array, else one for each CPU, four at most.
[[nodiscard]] std::size_t parts_for(std::size_t items);

using PartOfWork = std::function<void(std::size_t part, std::size_t begin, std::size_t end)>;

// Calls work for each part of [0, items): contiguous, in ascending order, as equal as can be. parts: 1 at least.
void in_parts(std::size_t items, std::size_t parts, const PartOfWork& work);

}  // namespace nslookout
