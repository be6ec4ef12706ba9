// send_cost NSLOOKOUT: what one send on loopback costs a program, with and without the agent, for each backend: a query that is
// not listed, one that is, and a datagram to another port. NSLOOKOUT is the agent's binary. Needs root. There is no bound;
// baseline.py holds the ratios against those of before.
//
// Rounds without and with the agent take turns, so that a slow hour of the machine hits both; of a round's short runs a low
// percentile counts, since noise only adds; ratios are taken within a round, and of the rounds the median is told.
#include <array>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "agent_process.h"
#include "feed.h"
#include "loopback.h"
#include "measure.h"
#include "names.h"
#include "report.h"
#include "temporary_file.h"
#include "wire.h"

namespace nslookout::bench {
namespace {

constexpr int rounds = 9;
constexpr int runs = 15;      // of each kind, in a round
constexpr double told = 0.2;  // percentile of the runs
constexpr std::size_t list_names = 100'000;
constexpr std::size_t asked_names = 1000;  // others each time, as on a real machine

constexpr std::array<const char*, 3> backends = {"cgroup", "fentry", "kprobe"};
constexpr std::string_view listed = "listed.send-cost.test";

struct Kind {
  std::string_view name;
  int client = -1;
  std::vector<std::string> payloads;
  std::uint64_t sends = 0;  // of one run
};

// Of each kind, nanoseconds.
using Costs = std::vector<double>;

struct Compared {
  std::vector<Costs> without, with;  // by round
};

std::vector<Kind> kinds_on(const Loopback& loopback) {
  // Behind those of the list, where that is made up.
  const auto names = made_up_names(list_names + asked_names);
  return {
      {"query, not listed", loopback.dns(), queries_for({names.begin() + list_names, names.end()}), 4000},
      // few, so that the agent is not what is measured
      {"query, listed", loopback.dns(), queries_for({kernel_test::wire_name(listed)}), 300},
      {"another port", loopback.other_port(), {std::string(40, 'x')}, 4000},
  };
}

Result<Costs> measure_round(const std::vector<Kind>& kinds) {
  const OnOneCpu here;
  std::vector<std::vector<double>> nanoseconds(kinds.size());
  for (int run = 0; run < runs; ++run) {
    for (std::size_t i = 0; i < kinds.size(); ++i) {
      const auto sent = Loopback::send(kinds[i].client, kinds[i].payloads, kinds[i].sends);
      if (!sent) return fail(sent.error());
      nanoseconds[i].push_back(sent->seconds * 1e9 / static_cast<double>(sent->count));
    }
  }
  Costs costs;
  for (const auto& of_kind : nanoseconds) costs.push_back(percentile(of_kind, told));
  return costs;
}

// The round with the agent. Error: it does not start, or did not see the queries.
Result<Costs> measure_watched(const std::string& binary, const char* backend, const std::string& list,
                              const std::vector<Kind>& kinds) {
  auto agent = AgentProcess::start(binary, {"--backend", backend, "--list", "exact:" + list});
  if (!agent) return fail(agent.error());
  const auto costs = measure_round(kinds);
  if (!costs) return costs;
  const auto status = agent->status();
  if (!status) return fail(status.error());
  const auto& counters = status->at("counters");
  const std::uint64_t queries = runs * (kinds[0].sends + kinds[1].sends);
  if (counters.at("queries").get<std::uint64_t>() < queries ||
      counters.at("candidates").get<std::uint64_t>() + counters.at("ring_full").get<std::uint64_t>() <
          runs * kinds[1].sends) {
    return fail(ErrorClass::runtime, "the programs did not see every query, so their cost means nothing");
  }
  if (const auto stopped = agent->stop(); !stopped) return fail(stopped.error());
  return costs;
}

Result<Compared> compare(const std::string& binary, const char* backend, const std::string& list,
                         const std::vector<Kind>& kinds) {
  Compared compared;
  for (int round = 0; round < rounds; ++round) {
    auto without = measure_round(kinds);
    if (!without) return fail(without.error());
    auto with = measure_watched(binary, backend, list, kinds);
    if (!with) return fail(with.error());
    compared.without.push_back(std::move(*without));
    compared.with.push_back(std::move(*with));
  }
  return compared;
}

template <typename Value>
double median(Value value) {
  std::vector<double> values;
  for (std::size_t round = 0; round < rounds; ++round) values.push_back(value(round));
  return percentile(values, 0.5);
}

nlohmann::ordered_json tell(const char* backend, const std::vector<Kind>& kinds, const Compared& compared) {
  auto results = nlohmann::ordered_json::object();
  for (std::size_t i = 0; i < kinds.size(); ++i) {
    const double without = median([&](std::size_t round) { return compared.without[round][i]; });
    const double with = median([&](std::size_t round) { return compared.with[round][i]; });
    const double ratio =
        median([&](std::size_t round) { return compared.with[round][i] / compared.without[round][i]; });
    fmt::print("{:<8} {:<20} {:>12.0f} {:>12.0f} {:>10.3f}\n", backend, kinds[i].name, without, with, ratio);
    results[std::string(kinds[i].name)] = {{"without_ns", without}, {"with_ns", with}, {"ratio", ratio}};
  }
  return results;
}

Result<void> measure_all(const std::string& binary) {
  const auto feed = read_feed(list_names);
  if (!feed) return fail(feed.error());
  const TemporaryFile list(".txt", feed->text + std::string(listed) + "\n");
  const auto loopback = Loopback::open();
  if (!loopback) return fail(loopback.error());
  const std::vector<Kind> kinds = kinds_on(*loopback);
  fmt::print("{:<8} {:<20} {:>12} {:>12} {:>10}\n", "backend", "one send", "ns without", "ns with", "ratio");
  auto results = nlohmann::ordered_json::object();
  for (const char* backend : backends) {
    const auto compared = compare(binary, backend, list.path(), kinds);
    if (compared) {
      results[backend] = tell(backend, kinds, *compared);
      continue;
    }
    // Not every kernel allows each of them, but every one has this.
    if (backend == backends[0]) return fail(compared.error());
    fmt::print("{:<8} not measured: {}\n", backend, compared.error().message);
  }
  return report("send_cost", results);
}

}  // namespace
}  // namespace nslookout::bench

int main(int argc, char** argv) {
  if (argc != 2) {
    fmt::print(stderr, "usage: send_cost NSLOOKOUT (the agent's binary)\n");
    return 2;
  }
  const auto measured = nslookout::bench::measure_all(argv[1]);
  if (!measured) fmt::print(stderr, "send_cost: {}\n", measured.error().message);
  return measured ? 0 : 1;
}
