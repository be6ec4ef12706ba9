// list_load NSLOOKOUT: what a list takes of time and memory, for three sizes: from the start of the agent to its ready
// file, and both sides' memory then; status 1 when a bound is missed. NSLOOKOUT is the agent's binary. Needs root.
#include <algorithm>
#include <array>
#include <chrono>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "agent_process.h"
#include "compile/plan.h"
#include "feed.h"
#include "lists/name_list.h"
#include "map_memory.h"
#include "report.h"
#include "temporary_file.h"

namespace nslookout::bench {
namespace {

constexpr std::array<std::size_t, 3> sizes = {1000, 100'000, feed_names};
constexpr int starts = 3;             // the fastest counts: other work on the machine only ever adds
constexpr double most_seconds = 3.0;  // of the largest list
constexpr double most_megabytes = 150;

struct Measured {
  std::size_t names = 0;
  double tables = 0;  // seconds: from the file to the kernel's tables in memory
  double ready = 0;   // seconds: from the start of the agent to its ready file
  double own = 0;     // megabytes of the agent's own
  double kernel = 0;  // megabytes of its maps
  double peak = 0;    // megabytes resident at most, what is mapped of the maps and of files included
};

double since(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

Result<void> build_tables(const std::string& spec, Measured& measured) {
  const auto begin = std::chrono::steady_clock::now();
  Result<lists::NameList> list = lists::load_list(spec);
  if (!list) return fail(list.error());
  std::vector<lists::NameList> lists;
  lists.push_back(std::move(*list));
  const compile::Plan plan = compile::make_plan({}, std::move(lists));
  const auto tables = compile::build_kernel_tables(plan.predicates(), compile::Seeds::random());
  measured.tables = std::min(measured.tables, since(begin));
  measured.names = tables.names.size();
  return {};
}

Result<void> start_agent(const std::string& binary, const std::string& spec, Measured& measured) {
  Result<AgentProcess> agent = AgentProcess::start(binary, {"--list", spec});
  if (!agent) return fail(agent.error());
  const auto kernel = map_octets_of(agent->pid());
  const auto memory = agent->memory();
  if (!kernel) return fail(kernel.error());
  if (!memory) return fail(memory.error());
  measured.ready = std::min(measured.ready, agent->seconds_to_ready());
  measured.own = static_cast<double>(memory->own) / 1e6;
  measured.peak = static_cast<double>(memory->peak) / 1e6;
  measured.kernel = static_cast<double>(*kernel) / 1e6;
  return agent->stop();
}

Result<Measured> measure(const std::string& binary, const std::string& file) {
  Measured measured{.tables = 1e9, .ready = 1e9};
  for (int i = 0; i < starts; ++i) {
    if (const auto built = build_tables("suffix:" + file, measured); !built) return fail(built.error());
    if (const auto started = start_agent(binary, "suffix:" + file, measured); !started) return fail(started.error());
  }
  return measured;
}

void print(const Measured& one) {
  fmt::print("{:>9} {:>12.3f} {:>12.2f} {:>12.3f} {:>9.1f} {:>9.1f} {:>9.1f} {:>9.1f}\n", one.names, one.tables,
             static_cast<double>(one.names) / one.tables / 1e6, one.ready, one.own, one.kernel, one.own + one.kernel,
             one.peak);
}

nlohmann::ordered_json json(const Measured& one) {
  return {{"names", one.names},        {"seconds_to_tables", one.tables}, {"seconds_to_ready", one.ready},
          {"user_megabytes", one.own}, {"kernel_megabytes", one.kernel},  {"peak_resident_megabytes", one.peak}};
}

bool within_bounds(const Measured& one) {
  if (one.ready < most_seconds && one.own + one.kernel < most_megabytes) return true;
  fmt::print(stderr, "list_load: {} names take {:.2f} s and {:.0f} MB; the bounds are {} s and {} MB\n", one.names,
             one.ready, one.own + one.kernel, most_seconds, most_megabytes);
  return false;
}

// True when the bounds are met.
Result<bool> measure_all(const std::string& binary) {
  fmt::print("{:>9} {:>12} {:>12} {:>12} {:>9} {:>9} {:>9} {:>9}\n", "names", "s to tables", "M names/s", "s to ready",
             "user MB", "kernel MB", "together", "peak RSS");
  auto rows = nlohmann::ordered_json::array();
  bool met = true;
  for (const std::size_t size : sizes) {
    const Result<Feed> feed = read_feed(size);
    if (!feed) return fail(feed.error());
    if (!feed->real && size == sizes[0]) fmt::print("the real feed is not here: the names are made up\n");
    const TemporaryFile file(".txt", feed->text);
    const Result<Measured> measured = measure(binary, file.path());
    if (!measured) return fail(measured.error());
    print(*measured);
    rows.push_back(json(*measured));
    met = within_bounds(*measured);
  }
  if (const auto reported = report("list_load", rows); !reported) return fail(reported.error());
  return met;
}

}  // namespace
}  // namespace nslookout::bench

int main(int argc, char** argv) {
  if (argc != 2) {
    fmt::print(stderr, "usage: list_load NSLOOKOUT (the agent's binary)\n");
    return 2;
  }
  const auto met = nslookout::bench::measure_all(argv[1]);
  if (!met) fmt::print(stderr, "list_load: {}\n", met.error().message);
  return met && *met ? 0 : 1;
}
