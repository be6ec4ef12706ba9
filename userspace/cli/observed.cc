#include "cli/observed.h"

#include <chrono>

#include <fmt/chrono.h>

#include "base/log.h"
#include "base/text.h"
#include "cli/progress.h"

namespace nslookout::cli {

Result<void> visit_history(const std::string& path, WallTime since, const VisitLookup& visit) {
  auto store = history::Store::open_to_read(path);
  if (!store) return fail(store.error());
  const auto facts = store->facts();
  if (!facts) return fail(facts.error());
  if (facts->evicted > 0) {
    log::warning("{}: {} had to make room so far, those first that were not seen for the longest time", path,
                 counted(facts->evicted, "older lookup"));
  }
  return store->each(since, visit);
}

Result<void> visit_events(const std::string& path, WallTime since, const inventory::Visit& visit) {
  const auto visit_each = [&](const event::Event& event) -> Result<void> {
    return event.time >= since ? visit(event) : Result<void>{};
  };
  const auto outcome = with_progress(path, [&] { return inventory::read_events(path, visit_each); });
  if (!outcome) return fail(outcome.error());
  if (outcome->first_bad) {
    log::warning("{}{}; the rest of the file counts", outcome->first_bad->message,
                 outcome->bad > 1 ? fmt::format(", and {} more are no events", counted(outcome->bad - 1, "line")) : "");
  }
  return {};
}

Result<void> add_observed(const std::string& path, WallTime since, inventory::Inventory& inventory) {
  const std::uint64_t left_out = inventory.left_out();
  const auto add = [&](const auto& one) -> Result<void> {
    inventory.add(one);
    return {};
  };
  auto added = history::is_database(path) ? visit_history(path, since, add) : visit_events(path, since, add);
  if (!added) return added;
  if (inventory.left_out() > left_out) {
    log::warning("{}: {} left out: more than {} different ones are not compared", path,
                 counted(inventory.left_out() - left_out, "lookup"), inventory::default_limit);
  }
  for (const auto& [stage, count] : inventory.losses()) {
    log::warning("{}: the sensor lost {} at the stage {}", path, count, stage);
  }
  return {};
}

std::string time_text(WallTime time) {
  return fmt::format("{:%FT%TZ}", std::chrono::floor<std::chrono::seconds>(time));
}

}  // namespace nslookout::cli
