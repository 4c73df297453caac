#pragma once

#include <optional>
#include <string_view>

#include "base/bytes.hpp"
#include "jobs/run.hpp"
#include "observe/event_log.hpp"
#include "observe/metrics.hpp"

namespace weir::jobs {

// The events and metrics that every run writes about its items (docs/events.md), with or without workers.

/// Writes the event `run_start`. `items`: number of items; `ram`: memory limit of the run; `share`: memory limit of
/// each worker, or of this process in a run without workers; `unit`: unit of ItemResult::amount.
void log_run_start(std::size_t items, Bytes ram, Bytes share, std::string_view unit, observe::EventLog& events);
/// Writes the event `run_end`.
void log_run_end(const Totals& totals, observe::EventLog& events);

/// Writes the event `item_skip` or `item_adopted` (Decision::adopted) of an item that is skipped; writes nothing for
/// other decisions. `part_of`: the item's place among the prerequisites of another item, here and below.
void log_decision(const Item& item, const Decision& decision, const std::optional<PartOf>& part_of,
                  observe::EventLog& events);

/// Writes the event and the metrics of an item that ended; for a skipped item only the metrics, since log_decision()
/// writes its event. `unit`: unit of result.amount.
void log_item_result(const Item& item, const ItemResult& result, const std::optional<PartOf>& part_of,
                     std::string_view unit, observe::EventLog& events, observe::Metrics& metrics);

/// Adds the fields `part_of`, `stage`, `position` and `count` to those of an event about a prerequisite.
void add_part_of(Json& fields, const std::optional<PartOf>& part_of);

}  // namespace weir::jobs
