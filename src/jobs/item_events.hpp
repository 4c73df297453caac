#pragma once

#include <string_view>

#include "base/bytes.hpp"
#include "jobs/run.hpp"
#include "observe/event_log.hpp"
#include "observe/metrics.hpp"

namespace weir::jobs {

// What every run writes of its items to the log and the metrics (docs/events.md), however it does them.

void log_run_start(std::size_t items, Bytes ram, Bytes share, observe::EventLog& events);
void log_run_end(const Totals& totals, observe::EventLog& events);

/// Of an item that is not to be worked on.
void log_decision(const Item& item, const Decision& decision, observe::EventLog& events);

/// `unit`: of the amount.
void log_item_result(const Item& item, const ItemResult& result, std::string_view unit, observe::EventLog& events,
                     observe::Metrics& metrics);

}  // namespace weir::jobs
