// What `diff` and `hunt` read: files of events (JSON lines or protobuf) and histories, told apart by their first octets.
// Thread rule: one thread; warnings go to the log.
#pragma once

#include <functional>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "history/store.h"
#include "inventory/inventory.h"
#include "inventory/read_events.h"

namespace nslookout::cli {

// Visits each of them, or of a history; what add_observed warns of, this does too.
using VisitLookup = std::function<Result<void>(const inventory::Lookup&)>;
[[nodiscard]] Result<void> visit_history(const std::string& path, WallTime since, const VisitLookup& visit);
[[nodiscard]] Result<void> visit_events(const std::string& path, WallTime since, const inventory::Visit& visit);

// Adds what the file has of lookups last seen at `since` or later. Warns of lines that are no events, once for a file, of
// what the sensor lost and of what the history had no room for.
[[nodiscard]] Result<void> add_observed(const std::string& path, WallTime since, inventory::Inventory& inventory);

// "2026-11-25T22:57:00Z"
[[nodiscard]] std::string time_text(WallTime time);

}  // namespace nslookout::cli
