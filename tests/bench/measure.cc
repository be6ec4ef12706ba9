#include "measure.h"

#include <bpf/bpf.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <numeric>
#include <random>

namespace nslookout::bench {
namespace {

constexpr int rounds = 21;
constexpr std::uint32_t runs_in_a_round = 5000;
constexpr double told = 0.2;

}  // namespace

double percentile(std::vector<double> values, double part) {
  std::ranges::sort(values);
  return values[static_cast<std::size_t>(part * static_cast<double>(values.size() - 1))];
}

Result<void> run(const Case& one, std::uint32_t times) {
  LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = one.packet.data(),
              .data_size_in = static_cast<std::uint32_t>(one.packet.size()), .repeat = static_cast<int>(times));
  if (bpf_prog_test_run_opts(one.program, &options) != 0) {
    return fail(ErrorClass::unsupported, "running a program on a prepared packet: {}", errno_text(errno));
  }
  return {};
}

Result<std::vector<double>> measure(const std::vector<Case>& cases) {
  using Nanoseconds = std::chrono::duration<double, std::nano>;
  std::vector<std::vector<double>> times(cases.size());
  std::vector<std::size_t> order(cases.size());
  std::iota(order.begin(), order.end(), 0);
  std::mt19937 generator(1);
  for (int round = 0; round < rounds; ++round) {
    // What ran before decides what is in the caches, so that changes too.
    std::ranges::shuffle(order, generator);
    for (const std::size_t i : order) {
      const Case& one = cases[i];
      if (one.salt != nullptr) {
        const nsl_u64 value = one.names.step != 0 ? one.salt->value : 0;  // go on, so that no name comes twice
        *one.salt = one.names;
        one.salt->value = value;
      }
      // The kernel's own figure is in whole nanoseconds, too coarse for a floor of 30.
      const auto begin = std::chrono::steady_clock::now();
      if (const auto done = run(one, runs_in_a_round); !done) return fail(done.error());
      const Nanoseconds took = std::chrono::steady_clock::now() - begin;
      times[i].push_back(took.count() / runs_in_a_round);
      if (!one.afterwards) continue;
      if (const auto done = one.afterwards(); !done) return fail(done.error());
    }
  }
  std::vector<double> told_times;
  for (const std::vector<double>& of_case : times) told_times.push_back(percentile(of_case, told));
  return told_times;
}

OnOneCpu::OnOneCpu() {
  sched_getaffinity(0, sizeof before_, &before_);
  cpu_set_t cpu;
  CPU_ZERO(&cpu);
  CPU_SET(static_cast<std::size_t>(sched_getcpu()), &cpu);
  sched_setaffinity(0, sizeof cpu, &cpu);
}

OnOneCpu::~OnOneCpu() { sched_setaffinity(0, sizeof before_, &before_); }

}  // namespace nslookout::bench
