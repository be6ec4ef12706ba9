#include "base/parallel.h"

#include <algorithm>
#include <future>
#include <system_error>
#include <thread>
#include <vector>

namespace nslookout {
namespace {

constexpr std::size_t most_parts = 4;
constexpr std::size_t worth_a_thread = 32768;  // items

}  // namespace

std::size_t parts_for(std::size_t items) {
  const std::size_t cpus = std::max(1U, std::thread::hardware_concurrency());
  return std::clamp<std::size_t>(items / worth_a_thread, 1, std::min(cpus, most_parts));
}

void in_parts(std::size_t items, std::size_t parts, const PartOfWork& work) {
  const auto begin_of = [&](std::size_t part) { return items * part / parts; };
  std::vector<std::future<void>> others;
  for (std::size_t part = 1; part < parts; ++part) {
    try {
      others.push_back(std::async(std::launch::async, work, part, begin_of(part), begin_of(part + 1)));
    } catch (const std::system_error&) {  // no more threads to be had
      work(part, begin_of(part), begin_of(part + 1));
    }
  }
  work(0, 0, begin_of(1));
  for (std::future<void>& other : others) other.get();
}

}  // namespace nslookout
