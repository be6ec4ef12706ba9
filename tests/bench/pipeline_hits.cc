// pipeline_hits NSLOOKOUT: how many matching lookups a second get from the kernel to lines of JSON in a file, what becomes of
// those above that, and what the agent does while nothing matches. NSLOOKOUT is the agent's binary. Needs root.
//
// Status 1 when a lookup is neither an event nor counted as lost, and when the agent takes more of a CPU than the bound while
// nothing matches.
#include <algorithm>
#include <array>
#include <chrono>
#include <fstream>
#include <map>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "agent_process.h"
#include "loopback.h"
#include "report.h"
#include "temporary_file.h"
#include "wire.h"

namespace nslookout::bench {
namespace {

using Json = nlohmann::ordered_json;
using Seconds = std::chrono::duration<double>;

constexpr std::array<std::uint64_t, 7> rates = {1000, 5000, 10'000, 20'000, 50'000, 100'000, 200'000};
constexpr Seconds longest{5};
constexpr double most_lookups = 400'000;  // of one rate: their events are half a gigabyte
constexpr std::uint64_t quiet_rate = 100'000;
constexpr double most_quiet_percent = 0.5;  // of a CPU, while nothing matches
constexpr std::chrono::minutes longest_drain{3};
constexpr std::chrono::milliseconds look_again{20};

// Asked for by nobody else, so that other lookups on the machine are told apart.
constexpr std::string_view listed = "listed.pipeline-hits.test";
constexpr std::string_view not_listed = "quiet.pipeline-hits.test";

struct Point {
  std::uint64_t asked_rate = 0;
  Loopback::Sent sent;
  std::uint64_t events = 0;
  std::uint64_t lost = 0;
  std::map<std::string, std::uint64_t> stages;  // of what was lost
  double busy_percent = 0;                      // of a CPU, while the lookups came
  double cpu_seconds = 0;                       // until all was written
  double drain_seconds = 0;                     // from the last lookup until then

  [[nodiscard]] bool accounts_for_all() const { return events + lost == sent.count; }
};

struct Quiet {
  Loopback::Sent sent;
  std::uint64_t seen = 0;  // queries, by the kernel's programs
  double percent = 0;      // of a CPU
};

// What the agent wrote: a line for each event.
Result<void> count_lines(const std::string& path, Point& point) {
  const std::string query = fmt::format(R"("query":"{}")", listed);
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    if (line.find(query) != std::string::npos) ++point.events;
    if (line.find(R"("losses":)") == std::string::npos) continue;
    const Json event = Json::parse(line, nullptr, false);
    if (!event.contains("losses")) return fail(ErrorClass::runtime, "a line that is no event: {}", line);
    for (const Json& loss : event["losses"]) {
      // protobuf's JSON has 64-bit numbers as text
      const auto count = std::stoull(loss["count"].get<std::string>());
      point.stages[loss["stage"].get<std::string>()] += count;
      point.lost += count;
    }
  }
  return {};
}

std::uint64_t sum_of(const nlohmann::json& counts) {
  std::uint64_t sum = 0;
  for (const auto& count : counts) sum += count.get<std::uint64_t>();
  return sum;
}

// Until every lookup has been written or counted as lost. That it takes too long shows in the counts.
Result<void> wait_until_written(const AgentProcess& agent, const Loopback::Sent& sent) {
  const auto until = std::chrono::steady_clock::now() + longest_drain;
  while (std::chrono::steady_clock::now() < until) {
    const auto status = agent.status();
    if (!status) return fail(status.error());
    const auto& output = status->at("outputs").at(0);
    const auto waiting = output.at("waiting").get<std::uint64_t>();
    if (waiting == 0 && status->at("events").value("match", 0ULL) + sum_of(status->at("lost")) >= sent.count) break;
    std::this_thread::sleep_for(look_again);
  }
  return {};
}

Result<AgentProcess> start_agent(const std::string& binary, const TemporaryFile& list, const TemporaryFile& output) {
  return AgentProcess::start(
      binary, {"--backend", "cgroup", "--list", "exact:" + list.path(), "--output", "jsonl:" + output.path()});
}

Result<Point> measure_rate(const std::string& binary, const Loopback& loopback, std::uint64_t rate) {
  const TemporaryFile list(".txt", listed);
  const TemporaryFile output(".jsonl");
  const auto queries = queries_for(std::vector<std::string>(1000, kernel_test::wire_name(listed)));
  auto agent = start_agent(binary, list, output);
  if (!agent) return fail(agent.error());
  Point point;
  point.asked_rate = rate;
  const auto before = agent->cpu_seconds();
  const Seconds time = std::min(longest, Seconds(most_lookups / static_cast<double>(rate)));
  const auto sent = Loopback::send_paced(loopback.dns(), queries, rate, time);
  if (!sent) return fail(sent.error());
  point.sent = *sent;
  const auto last = std::chrono::steady_clock::now();
  const auto while_sending = agent->cpu_seconds();
  if (const auto written = wait_until_written(*agent, *sent); !written) return fail(written.error());
  point.drain_seconds = Seconds(std::chrono::steady_clock::now() - last).count();
  const auto after = agent->cpu_seconds();
  if (!before || !while_sending || !after) return fail(ErrorClass::runtime, "the agent ended under way");
  point.busy_percent = 100 * (*while_sending - *before) / sent->seconds;
  point.cpu_seconds = *after - *before;
  if (const auto stopped = agent->stop(); !stopped) return fail(stopped.error());
  if (const auto counted = count_lines(output.path(), point); !counted) return fail(counted.error());
  return point;
}

// rate 0: the agent alone.
Result<Quiet> measure_quiet(const std::string& binary, const Loopback& loopback, std::uint64_t rate) {
  const TemporaryFile list(".txt", listed);
  const TemporaryFile output(".jsonl");
  const auto queries = queries_for(std::vector<std::string>(1000, kernel_test::wire_name(not_listed)));
  auto agent = start_agent(binary, list, output);
  if (!agent) return fail(agent.error());
  const auto status_before = agent->status();
  const auto before = agent->cpu_seconds();
  const auto sent = Loopback::send_paced(loopback.dns(), queries, rate, longest);
  const auto after = agent->cpu_seconds();
  if (!sent) return fail(sent.error());
  const auto status_after = agent->status();
  if (!before || !after || !status_before || !status_after) {
    return fail(ErrorClass::runtime, "the agent ended under way");
  }
  const auto seen = [](const nlohmann::json& status) {
    return status.at("counters").at("queries").get<std::uint64_t>();
  };
  if (const auto stopped = agent->stop(); !stopped) return fail(stopped.error());
  return Quiet{*sent, seen(*status_after) - seen(*status_before), 100 * (*after - *before) / sent->seconds};
}

double per_second(const Loopback::Sent& sent) { return static_cast<double>(sent.count) / sent.seconds; }

double microseconds_each(const Point& point) {
  return point.events > 0 ? point.cpu_seconds * 1e6 / static_cast<double>(point.events) : 0;
}

void print_heading() {
  fmt::print("{:>9} {:>9} {:>9} {:>9} {:>9} {:>11} {:>12} {:>11}  {}\n", "asked/s", "sent/s", "sent", "events", "lost",
             "% of a CPU", "us an event", "s to drain", "lost at");
}

void print(const Point& point) {
  std::string stages;
  for (const auto& [stage, count] : point.stages)
    stages += fmt::format("{}{} {}", stages.empty() ? "" : ", ", stage, count);
  fmt::print("{:>9} {:>9.0f} {:>9} {:>9} {:>9} {:>11.1f} {:>12.1f} {:>11.2f}  {}\n", point.asked_rate,
             per_second(point.sent), point.sent.count, point.events, point.lost, point.busy_percent,
             microseconds_each(point), point.drain_seconds, stages.empty() ? "-" : stages);
}

Json json(const Point& point) {
  return {{"asked_per_second", point.asked_rate},
          {"sent_per_second", per_second(point.sent)},
          {"sent", point.sent.count},
          {"events", point.events},
          {"lost", point.lost},
          {"lost_at", point.stages},
          {"cpu_percent_while_sending", point.busy_percent},
          {"cpu_microseconds_an_event", microseconds_each(point)},
          {"drain_seconds", point.drain_seconds}};
}

Json json(const Quiet& quiet) {
  return {{"sent_per_second", per_second(quiet.sent)},
          {"sent", quiet.sent.count},
          {"seen", quiet.seen},
          {"cpu_percent", quiet.percent}};
}

// True when every lookup of every rate was accounted for.
Result<bool> measure_curve(const std::string& binary, const Loopback& loopback, Json& results) {
  print_heading();
  bool met = true;
  double most_without_loss = 0;
  results["curve"] = Json::array();
  for (const std::uint64_t rate : rates) {
    const auto point = measure_rate(binary, loopback, rate);
    if (!point) return fail(point.error());
    print(*point);
    results["curve"].push_back(json(*point));
    if (point->lost == 0) most_without_loss = std::max(most_without_loss, per_second(point->sent));
    if (point->accounts_for_all()) continue;
    fmt::print(stderr, "pipeline_hits: at {} a second {} were sent, {} are events and {} counted as lost: not all\n",
               rate, point->sent.count, point->events, point->lost);
    met = false;
  }
  fmt::print("most lookups a second without a loss: {:.0f}\n", most_without_loss);
  results["most_per_second_without_loss"] = most_without_loss;
  return met;
}

// True when the agent takes no more than the bound while nothing matches.
Result<bool> measure_silence(const std::string& binary, const Loopback& loopback, Json& results) {
  bool met = true;
  for (const auto& [name, rate] : {std::pair{"idle", std::uint64_t{0}}, std::pair{"not_listed", quiet_rate}}) {
    const auto quiet = measure_quiet(binary, loopback, rate);
    if (!quiet) return fail(quiet.error());
    fmt::print("{:.0f} queries a second that nothing matches ({} sent, {} seen): the agent takes {:.3f} % of a CPU\n",
               per_second(quiet->sent), quiet->sent.count, quiet->seen, quiet->percent);
    results[name] = json(*quiet);
    if (quiet->seen < quiet->sent.count) {
      fmt::print(stderr, "pipeline_hits: the programs did not see every query, so this means nothing\n");
      met = false;
    }
    if (quiet->percent < most_quiet_percent) continue;
    fmt::print(stderr, "pipeline_hits: {:.2f} % of a CPU while nothing matches; the bound is {} %\n", quiet->percent,
               most_quiet_percent);
    met = false;
  }
  return met;
}

// True when the bounds are met.
Result<bool> measure_all(const std::string& binary) {
  const auto loopback = Loopback::open();
  if (!loopback) return fail(loopback.error());
  Json results;
  const auto curve = measure_curve(binary, *loopback, results);
  if (!curve) return curve;
  const auto silence = measure_silence(binary, *loopback, results);
  if (!silence) return silence;
  if (const auto reported = report("pipeline_hits", results); !reported) return fail(reported.error());
  return *curve && *silence;
}

}  // namespace
}  // namespace nslookout::bench

int main(int argc, char** argv) {
  if (argc != 2) {
    fmt::print(stderr, "usage: pipeline_hits NSLOOKOUT (the agent's binary)\n");
    return 2;
  }
  const auto met = nslookout::bench::measure_all(argv[1]);
  if (!met) fmt::print(stderr, "pipeline_hits: {}\n", met.error().message);
  return met && *met ? 0 : 1;
}
