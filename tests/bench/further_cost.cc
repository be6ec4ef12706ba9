// further_cost OBJECT: what the egress program takes for a query that is asked for more than its name, beside one that is not, and
// for one that is listed and goes to the ring; as a table. OBJECT is programs.bpf.o of the build folder. Needs root.
//
// Status 1 when a bound is missed: with the texts of SigmaHQ's rules loaded (where they are here) a miss may take twice what it
// takes without, and a hit 600 ns. Of the two, what the empty program takes is left out.
#include <array>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "loaded_sensor.h"
#include "measure.h"
#include "names.h"
#include "packet.h"
#include "programs.h"
#include "report.h"
#include "tests/unit/shared_material.h"
#include "wire.h"

namespace nslookout::bench {
namespace {

constexpr int loads = 5;
constexpr std::size_t listed_names = 1000;
constexpr double most_of_miss = 2.0;
constexpr double most_of_hit_ns = 600.0;

constexpr std::array<std::string_view, 3> asked = {"quiet-neighbour.com", "www.quiet-neighbour.com",
                                                   "a248.e.static.quiet-neighbour.com"};
constexpr std::string_view columns = "2, 3 and 5 labels";
constexpr std::string_view search_suffix = "internal";
constexpr std::array<std::string_view, 3> searched = {"quiet-neighbour.internal", "www.quiet-neighbour.internal",
                                                      "a248.e.static.quiet-neighbour.internal"};

struct Tables {
  std::string_view text;
  compile::KernelTables tables;
  nsl_u32 mode = NSL_MODE_AUDIT;
  bool hit = false;       // the names asked for are listed
  bool searched = false;  // they end in the search suffix
};

compile::KernelTables names_alone(const std::vector<std::string>& names) {
  return compile::build_kernel_tables({.names = to_list(names)}, compile::Seeds::random());
}

std::vector<Tables> all_tables(const std::vector<std::string>& names, const compile::Plan* corpus) {
  std::vector<Tables> all;
  all.push_back({.text = "a name that is not listed", .tables = names_alone(names)});

  const std::string suffix = kernel_test::wire_name(search_suffix);
  std::vector<compile::KernelName> list = to_list(names);
  list.push_back({.wire = suffix, .search = NSL_NAME_SEARCH});
  all.push_back({.text = "the same behind a search suffix",
                 .tables = compile::build_kernel_tables({.names = list}, compile::Seeds::random()),
                 .searched = true});

  std::vector<compile::KernelName> blocked = to_list(names);
  for (compile::KernelName& name : blocked) name.verdict = NSL_NAME_BLOCK_EXACT | NSL_NAME_BLOCK_BELOW;
  all.push_back({.text = "the same where the listed are blocked",
                 .tables = compile::build_kernel_tables({.names = blocked}, compile::Seeds::random()),
                 .mode = NSL_MODE_ENFORCE});

  if (corpus != nullptr) {
    compile::KernelPredicates predicates = corpus->predicates();
    predicates.every_query = false;
    all.push_back({.text = "the same with SigmaHQ's rules loaded",
                   .tables = compile::build_kernel_tables(predicates, compile::Seeds::random())});
  }

  std::vector<std::string> with_asked = names;
  for (const std::string_view name : asked) with_asked.push_back(kernel_test::wire_name(name));
  all.push_back({.text = "a name that is listed, into the ring", .tables = names_alone(with_asked), .hit = true});
  return all;
}

// Nanoseconds of each table's columns; those of the empty program first.
using Times = std::vector<std::vector<double>>;

// That the queries leave the kernel or stay in it, as is meant.
Result<void> check(LoadedSensor& sensor, const Tables& tables, const std::vector<Case>& cases) {
  for (const Case& one : cases) {
    const auto before = sensor.let_out();
    if (!before) return fail(before.error());
    const auto queries = sensor.counter(NSL_COUNT_queries);
    if (!queries) return fail(queries.error());
    if (const auto ran = run(one, 1); !ran) return ran;
    const auto after = sensor.let_out();
    if (!after) return fail(after.error());
    if (*after - *before != (tables.hit ? 1 : 0) || *sensor.counter(NSL_COUNT_queries) != *queries + 1) {
      return fail(ErrorClass::runtime, "{}: not seen as such, so its time would mean nothing", tables.text);
    }
  }
  return sensor.drain();
}

Result<Times> measure_load(const Programs& programs, std::vector<Tables>& all) {
  std::vector<LoadedSensor> sensors;
  sensors.reserve(all.size());
  const auto packet_of = [](std::string_view name) {
    return udp_packet(53, kernel_test::query(kernel_test::wire_name(name)));
  };
  std::vector<Case> cases = {{programs.empty(), packet_of(asked[0]), nullptr, {}}};
  for (Tables& tables : all) {
    auto sensor = LoadedSensor::load();
    if (!sensor) return fail(sensor.error());
    sensor->settings().mode = tables.mode;
    if (const auto published = sensor->publish(tables.tables); !published) return fail(published.error());
    std::vector<Case> own;
    for (const std::string_view name : tables.searched ? searched : asked) {
      own.push_back({sensor->program(), packet_of(name), nullptr, {}});
    }
    if (const auto checked = check(*sensor, tables, own); !checked) return fail(checked.error());
    sensors.push_back(std::move(*sensor));
    if (tables.hit) {
      for (Case& one : own) one.afterwards = [&ring = sensors.back()] { return ring.drain(); };
    }
    cases.insert(cases.end(), own.begin(), own.end());
  }
  const auto measured = measure(cases);
  if (!measured) return fail(measured.error());
  Times times = {{measured->front()}};
  for (std::size_t at = 1; at < measured->size(); at += asked.size()) {
    const auto begin = measured->begin() + static_cast<std::ptrdiff_t>(at);
    times.emplace_back(begin, begin + static_cast<std::ptrdiff_t>(asked.size()));
  }
  return times;
}

double median(const std::vector<Times>& of_loads, const std::function<double(const Times&)>& value) {
  std::vector<double> values;
  for (const Times& times : of_loads) values.push_back(value(times));
  return percentile(values, 0.5);
}

// Prints the table, and tells whether the bounds are met. Rows of times: the empty program, then those of all.
bool judge(const std::vector<Tables>& all, const std::vector<Times>& of_loads, nlohmann::ordered_json& result) {
  bool met = true;
  const double empty = median(of_loads, [](const Times& times) { return times[0][0]; });
  result["empty program"] = {empty};
  fmt::print("{:<48}{:>10.1f}\n", "nanoseconds: empty program", empty);
  for (std::size_t row = 0; row < all.size(); ++row) {
    fmt::print("{:<48}", all[row].text);
    auto& into = result[std::string(all[row].text)] = nlohmann::ordered_json::array();
    for (std::size_t column = 0; column < asked.size(); ++column) {
      const double nanoseconds = median(of_loads, [&](const Times& times) { return times[row + 1][column]; });
      const double of_miss = median(of_loads, [&](const Times& times) {
        return (times[row + 1][column] - times[0][0]) / (times[1][column] - times[0][0]);
      });
      into.push_back(nanoseconds);
      fmt::print("{:>10.1f}", nanoseconds);
      const bool is_corpus = all[row].text.find("SigmaHQ") != std::string_view::npos;
      if (is_corpus && of_miss > most_of_miss) {
        fmt::print(stderr, "further_cost: {}: {:.2f} times the cost of a miss without; the target is {}\n",
                   all[row].text, of_miss, most_of_miss);
      }
      if (all[row].hit && nanoseconds - empty > most_of_hit_ns) {
        fmt::print(stderr, "further_cost: {}: {:.0f} ns; the bound is {} ns\n", all[row].text, nanoseconds - empty,
                   most_of_hit_ns);
        met = false;
      }
    }
    fmt::print("\n");
  }
  fmt::print("(columns: names of {})\n", columns);
  return met;
}

Result<bool> measure_all(const char* path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return fail(ErrorClass::usage, "{}: cannot be read; ./dev bench makes it", path);
  const std::string object(std::istreambuf_iterator<char>(file), {});
  const auto names = made_up_names(listed_names);
  const auto folder = shared_material() / "sigma" / "rules";
  std::optional<compile::Plan> corpus;
  if (std::filesystem::exists(folder)) {
    corpus.emplace(plan_of(folder, false));
  } else {
    fmt::print("left out: SigmaHQ's rules, which are not here; NSLOOKOUT_SHARED names the folder that holds them\n");
  }
  const auto programs = Programs::with_tables(object, to_list(names));
  if (!programs) return fail(programs.error());
  std::vector<Tables> all = all_tables(names, corpus ? &*corpus : nullptr);

  const OnOneCpu here;
  std::vector<Times> of_loads;
  for (int load = 0; load < loads; ++load) {
    auto times = measure_load(*programs, all);
    if (!times) return fail(times.error());
    of_loads.push_back(std::move(*times));
  }
  nlohmann::ordered_json result;
  const bool met = judge(all, of_loads, result);
  if (const auto reported = report("further_cost_ns", result); !reported) return fail(reported.error());
  return met;
}

}  // namespace
}  // namespace nslookout::bench

int main(int argc, char** argv) {
  if (argc != 2) {
    fmt::print(stderr, "usage: further_cost OBJECT (programs.bpf.o of the build folder)\n");
    return 2;
  }
  const auto met = nslookout::bench::measure_all(argv[1]);
  if (!met) fmt::print(stderr, "further_cost: {}\n", met.error().message);
  return met && *met ? 0 : 1;
}
