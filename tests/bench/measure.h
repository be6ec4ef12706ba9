// Measuring so that it holds on a noisy machine: what is compared runs in short rounds, in an order that changes, so that a
// slow moment hits all alike; of a case's rounds a low percentile counts, since noise only ever adds; and what is told is the median
// over several loads of the programs, since where a load happens to lie in memory changes its speed.
#pragma once

#include <sched.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/result.h"
#include "salt.h"

namespace nslookout::bench {

// A program and what it runs on.
struct Case {
  int program = -1;            // descriptor
  std::string packet;          // from the Ethernet header on
  bench_salt* salt = nullptr;  // of the program's object; set to `names` before each round where there is one
  bench_salt names{};
  std::function<Result<void>()> afterwards = {};  // after each round, outside of what is timed
};

// Nanoseconds of one run, for each case.
[[nodiscard]] Result<std::vector<double>> measure(const std::vector<Case>& cases);

// Runs a case's program so many times.
[[nodiscard]] Result<void> run(const Case& one, std::uint32_t times);

[[nodiscard]] double percentile(std::vector<double> values, double part);

// Keeps this thread on the CPU that it runs on, until it goes: a move would cost more than what is measured.
class OnOneCpu {
 public:
  OnOneCpu();
  ~OnOneCpu();
  OnOneCpu(const OnOneCpu&) = delete;
  OnOneCpu& operator=(const OnOneCpu&) = delete;

 private:
  cpu_set_t before_{};
};

}  // namespace nslookout::bench
