#pragma once

#include <stop_token>
#include <vector>

#include "jobs/execute.hpp"
#include "jobs/run.hpp"

namespace weir::jobs {

/// Runs a short list of items in this process, one after the other, each with the task's first variant that fits (that
/// does not end with the error over_budget). It avoids the cost of a worker process for a single item. It uses records
/// and decides about items as a Coordinator does, but makes no further attempt after a failure. Not thread-safe.
class InProcessRun {
 public:
  /// The references must outlive the object. `device`: the device name for records and results.
  InProcessRun(const std::vector<Item>& items, Task& task, const RecordRules& rules, IdentitySource identity_source,
               RunObserver& observer, std::string device);
  /// Runs all items and returns the totals. A stop interrupts the current item and ends the run. Call it once.
  Totals run(std::stop_token stop);

 private:
  ItemResult run_item(const Item& item, ItemNumber number, const Decision& decision, std::stop_token stop);
  void report_progress(ItemNumber number, const Progress& progress) const;

  const std::vector<Item>& items_;
  Task& task_;
  const RecordRules& rules_;
  IdentitySource identity_source_;
  RunObserver& observer_;
  std::string device_;
  Totals totals_;
  // start of the run, for its duration
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

}  // namespace weir::jobs
