// kernel_cost OBJECT: what a query that is not listed costs in the kernel, as a table; status 1 when a bound is missed.
// OBJECT is programs.bpf.o. Needs root. docs/performance.md has the method and a table.
#include <array>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <numeric>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "measure.h"
#include "names.h"
#include "packet.h"
#include "programs.h"
#include "report.h"
#include "wire.h"

namespace nslookout::bench {
namespace {

constexpr int loads = 9;
constexpr int attempts = 3;  // a machine that is busy otherwise makes everything slower, but not alike
constexpr std::size_t few = 1000;
constexpr std::size_t many = 1'000'000;

// The bounds: of a miss among many names. The same name each time: one of two. How much of a run is the call itself depends
// on the processor: 14 ns without return thunks, 27 with them. So the ratio alone would ask for twice as much of the one.
constexpr double most_of_empty = 2.2;         // times an empty program
constexpr double most_above_empty_ns = 30.0;  // nanoseconds more than an empty program
constexpr double least_of_plain_hash =
    4.0;  // another name each time: what the plain hash map costs, for all names together

constexpr nsl_u64 stays = 0;
constexpr nsl_u64 changes = 0x9e3779b97f4a7c15U;  // a step of the salt
constexpr nsl_u32 first_word = 5;                 // no word of the name begins before; the header's do
constexpr nsl_u32 behind = 512;

constexpr std::array<std::string_view, 4> asked = {"quiet-neighbour.com", "www.quiet-neighbour.com",
                                                   "a248.e.static.quiet-neighbour.com",
                                                   "a.b.c.d.e.f.g.h.i.j.static.quiet-neighbour.com"};
constexpr std::array<int, asked.size()> labels = {2, 3, 5, 13};
constexpr std::size_t bounded = 3;  // so many of them, from the first on, have bounds
constexpr std::size_t top_level_length = 3;

enum class Names {
  same,         // at each run
  other_slots,  // each suffix is another one, the top-level domain too: nothing of the tables is in the caches
  below_same_top_level
};

std::string query_packet(std::string_view wire) { return udp_packet(53, kernel_test::query(wire)); }

// A column for each of the names asked for.
std::vector<Case> columns(int program, bench_salt* salt, Names names) {
  std::vector<Case> cases;
  for (const std::string_view name : asked) {
    // where the word begins that ends with the top-level domain
    const auto top_level = static_cast<nsl_u32>(NSL_DNS_HEADER + 1 + name.size() - 8);
    const bench_salt salted{.value = 0,
                            .step = names == Names::same ? stays : changes,
                            .from = first_word,
                            .to = names == Names::below_same_top_level ? top_level : behind};
    cases.push_back({program, query_packet(kernel_test::wire_name(name)), salt, salted});
  }
  return cases;
}

// The first rows of the table, by which the bounds find them.
enum RowId {
  empty_program,
  not_dns,
  few_same,
  same,
  other_slots,
  other_names,
  plain_same,
  plain_other_slots,
  plain_other_names
};

struct Row {
  std::string_view text;
  std::vector<Case> columns;
};

std::vector<Row> rows_of(const Programs& with_few, const Programs& with_many) {
  const int named = with_many.named_sensor();
  const int plain = with_many.plain_hash();
  bench_salt* salt = with_many.salt();
  const std::string packet = query_packet(kernel_test::wire_name(asked[0]));
  return {
      {"empty program", {{with_many.empty(), packet, nullptr, {}}}},
      {"sensor, not DNS (another port)", {{with_many.sensor(), udp_packet(443, std::string(40, 'x')), nullptr, {}}}},
      {"sensor, 1,000 names, same name", columns(with_few.sensor(), nullptr, Names::same)},
      {"sensor, 1,000,000 names, same name", columns(with_many.sensor(), nullptr, Names::same)},
      {"sensor, 1,000,000, every run another slot", columns(named, salt, Names::other_slots)},
      {"sensor, 1,000,000, other names of one TLD", columns(named, salt, Names::below_same_top_level)},
      {"plain hash, 1,000,000, same name", columns(plain, salt, Names::same)},
      {"plain hash, 1,000,000, every run another slot", columns(plain, salt, Names::other_slots)},
      {"plain hash, 1,000,000, other names of one TLD", columns(plain, salt, Names::below_same_top_level)},
      {"Bloom map before it, same name", columns(with_many.other_way("bench_bloom"), salt, Names::same)},
      {"Bloom map, every run another slot", columns(with_many.other_way("bench_bloom"), salt, Names::other_slots)},
      {"padded key, whole name, same name", columns(with_many.other_way("bench_padded"), salt, Names::same)},
      {"padded key, every run another slot", columns(with_many.other_way("bench_padded"), salt, Names::other_slots)},
      {"padded key, suffixes, same name", columns(with_many.other_way("bench_padded_suffixes"), salt, Names::same)},
      {"padded key, suffixes, another slot",
       columns(with_many.other_way("bench_padded_suffixes"), salt, Names::other_slots)},
      {"LPM trie, same name", columns(with_many.other_way("bench_lpm"), salt, Names::same)},
      {"LPM trie, every run another name", columns(with_many.other_way("bench_lpm"), salt, Names::other_slots)},
  };
}

// Nanoseconds, as measured: times[row][column].
using Times = std::vector<std::vector<double>>;

Result<Times> measure_load(const std::vector<Row>& rows) {
  std::vector<Case> cases;
  for (const Row& row : rows) cases.insert(cases.end(), row.columns.begin(), row.columns.end());
  const auto measured = measure(cases);
  if (!measured) return fail(measured.error());
  Times times;
  auto next = measured->begin();
  for (const Row& row : rows) {
    const auto end = next + static_cast<std::ptrdiff_t>(row.columns.size());
    times.emplace_back(next, end);
    next = end;
  }
  return times;
}

using OfLoads = std::vector<Times>;

// The median over the loads of what value says of each.
template <typename Value>
double median(const OfLoads& loads, Value value) {
  std::vector<double> values;
  for (const Times& times : loads) values.push_back(value(times));
  return percentile(values, 0.5);
}

struct Tables {
  Programs few;
  Programs many;
};

Result<OfLoads> measure_loads(std::string_view object, Tables& tables, const std::vector<compile::KernelName>& names,
                              std::vector<std::string_view>& texts) {
  OfLoads of_loads;
  for (int load = 0; load < loads; ++load) {
    // Under one seed a name may by chance walk a label further than under most.
    if (const auto filled = tables.many.fill_sensor(names); !filled) return fail(filled.error());
    const auto with_few = Programs::on_tables_of(object, tables.few);
    if (!with_few) return fail(with_few.error());
    const auto with_many = Programs::on_tables_of(object, tables.many);
    if (!with_many) return fail(with_many.error());
    const std::vector<Row> rows = rows_of(*with_few, *with_many);
    auto times = measure_load(rows);
    if (!times) return fail(times.error());
    of_loads.push_back(std::move(*times));
    texts.clear();
    for (const Row& row : rows) texts.push_back(row.text);
  }
  return of_loads;
}

// That the programs do on the prepared packets what they do in earnest: parse, match, count.
Result<void> check(const Programs& programs, const std::string& listed_wire) {
  const std::string missed = query_packet(kernel_test::wire_name(asked[0]));
  const std::string listed = query_packet(listed_wire);
  struct Expected {
    std::string_view what;
    int program;
    std::string packet;
    std::uint64_t queries, candidates, plain_hits;
  };
  const std::array<Expected, 6> table = {{
      {"the sensor and a name that is not listed", programs.sensor(), missed, 1, 0, 0},
      {"the sensor and a listed name", programs.sensor(), listed, 1, 1, 0},
      {"the sensor with a salt and a name that is not listed", programs.named_sensor(), missed, 1, 0, 0},
      {"the sensor with a salt and a listed name", programs.named_sensor(), listed, 1, 1, 0},
      {"the plain hash map and a name that is not listed", programs.plain_hash(), missed, 0, 0, 0},
      {"the plain hash map and a listed name", programs.plain_hash(), listed, 0, 0, 1},
  }};
  for (const Expected& one : table) {
    const auto queries = programs.counter(NSL_COUNT_queries);
    const auto candidates = programs.counter(NSL_COUNT_candidates);
    const std::uint64_t hits = programs.plain_hash_hits();
    if (!queries || !candidates) return fail((queries ? candidates : queries).error());
    if (const auto ran = run({one.program, one.packet, programs.salt(), {}}, 1); !ran) return ran;
    if (*programs.counter(NSL_COUNT_queries) != *queries + one.queries ||
        *programs.counter(NSL_COUNT_candidates) != *candidates + one.candidates ||
        programs.plain_hash_hits() != hits + one.plain_hits) {
      return fail(ErrorClass::runtime, "{}: not seen as such, so its time would mean nothing", one.what);
    }
  }
  return {};
}

void print(const OfLoads& of_loads, const std::vector<std::string_view>& texts) {
  fmt::print("{:<48}", "nanoseconds of one query that is not listed");
  for (const int count : labels) fmt::print("{:>8} labels", count);
  fmt::print("\n");
  for (std::size_t row = 0; row < texts.size(); ++row) {
    fmt::print("{:<48}", texts[row]);
    for (std::size_t column = 0; column < of_loads[0][row].size(); ++column) {
      fmt::print("{:>15.1f}", median(of_loads, [&](const Times& times) { return times[row][column]; }));
    }
    fmt::print("\n");
  }
}

// A row's text -> nanoseconds for each of the names asked for.
nlohmann::ordered_json json(const OfLoads& of_loads, const std::vector<std::string_view>& texts) {
  auto rows = nlohmann::ordered_json::object();
  for (std::size_t row = 0; row < texts.size(); ++row) {
    auto& columns = rows[std::string(texts[row])] = nlohmann::ordered_json::array();
    for (std::size_t column = 0; column < of_loads[0][row].size(); ++column) {
      columns.push_back(median(of_loads, [&](const Times& times) { return times[row][column]; }));
    }
  }
  return rows;
}

// The bounds that are missed, as sentences; prints the ratios, which are taken load by load.
std::vector<std::string> missed_bounds(const OfLoads& of_loads) {
  std::vector<std::string> missed;
  const auto sum = [](const std::vector<double>& row) {
    return std::accumulate(row.begin(), row.begin() + bounded, 0.0);
  };
  for (std::size_t i = 0; i < bounded; ++i) {
    const double of_empty = median(of_loads, [&](const Times& t) { return t[same][i] / t[empty_program][0]; });
    const double above_empty = median(of_loads, [&](const Times& t) { return t[same][i] - t[empty_program][0]; });
    fmt::print(
        "{} labels: the same name {:.2f} times the empty program, {:.1f} ns more; another slot {:.2f} times less than "
        "the plain "
        "hash map, other names of one TLD {:.2f}\n",
        labels[i], of_empty, above_empty,
        median(of_loads, [&](const Times& t) { return t[plain_other_slots][i] / t[other_slots][i]; }),
        median(of_loads, [&](const Times& t) { return t[plain_other_names][i] / t[other_names][i]; }));
    if (of_empty > most_of_empty && above_empty > most_above_empty_ns) {
      missed.push_back(fmt::format(
          "a miss of {} labels costs {:.2f} times an empty program, {:.1f} ns more; the bound is {} or {} ns",
          labels[i], of_empty, above_empty, most_of_empty, most_above_empty_ns));
    }
  }
  const double of_plain =
      median(of_loads, [&](const Times& t) { return sum(t[plain_other_slots]) / sum(t[other_slots]); });
  fmt::print("all three: another slot {:.2f} times less than the plain hash map\n", of_plain);
  if (of_plain < least_of_plain_hash) {
    missed.push_back(
        fmt::format("a miss, another name each time, costs {:.2f} times less than a plain hash map for each "
                    "suffix; the bound is {}",
                    of_plain, least_of_plain_hash));
  }
  return missed;
}

double load_average() {
  double average = 0;
  return getloadavg(&average, 1) == 1 ? average : 0;
}

// True when all bounds are met.
Result<bool> measure_all(const char* path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return fail(ErrorClass::usage, "{}: cannot be read; ./dev bench makes it", path);
  const std::string object(std::istreambuf_iterator<char>(file), {});
  const auto names = made_up_names(many);
  auto with_few = Programs::with_tables(object, to_list({names.begin(), names.begin() + few}));
  if (!with_few) return fail(with_few.error());
  const auto list = to_list(names);
  auto with_many = Programs::with_tables(object, list);
  if (!with_many) return fail(with_many.error());
  Tables tables{std::move(*with_few), std::move(*with_many)};
  for (const Programs* owner : {&tables.few, &tables.many}) {
    const auto programs = Programs::on_tables_of(object, *owner);
    if (!programs) return fail(programs.error());
    if (const auto checked = check(*programs, names[0]); !checked) return fail(checked.error());
  }

  const OnOneCpu here;
  for (int attempt = 1;; ++attempt) {
    const double before = load_average();
    std::vector<std::string_view> texts;
    const auto times = measure_loads(object, tables, list, texts);
    if (!times) return fail(times.error());
    print(*times, texts);
    const std::vector<std::string> missed = missed_bounds(*times);
    fmt::print("load average of the machine: {:.1f} before, {:.1f} after\n", before, load_average());
    if (const auto reported = report("kernel_cost_ns", json(*times, texts)); !reported) return fail(reported.error());
    if (missed.empty()) return true;
    for (const std::string& sentence : missed) fmt::print(stderr, "kernel_cost: {}\n", sentence);
    if (attempt == attempts) return false;
    fmt::print(stderr, "kernel_cost: measuring again, in case the machine was busy\n");
  }
}

}  // namespace
}  // namespace nslookout::bench

int main(int argc, char** argv) {
  if (argc != 2) {
    fmt::print(stderr, "usage: kernel_cost OBJECT (programs.bpf.o of the build folder)\n");
    return 2;
  }
  const auto met = nslookout::bench::measure_all(argv[1]);
  if (!met) fmt::print(stderr, "kernel_cost: {}\n", met.error().message);
  return met && *met ? 0 : 1;
}
