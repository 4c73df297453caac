#pragma once

#include <stop_token>
#include <vector>

#include "jobs/execute.hpp"
#include "jobs/run.hpp"

namespace weir::jobs {

/// Runs a short worklist in this process, one item after the other, on the task's first variant that fits: for single items,
/// which are not worth a worker. The same records and decisions as those of a Coordinator. Not thread-safe.
class InProcessRun {
 public:
  InProcessRun(const std::vector<Item>& items, Task& task, const RecordRules& rules, IdentitySource identity_source,
               RunObserver& observer, std::string device);
  Totals run(std::stop_token stop);

 private:
  ItemResult run_item(const Item& item, ItemNumber number, const Decision& decision, std::stop_token stop);
  void report_progress(const Item& item, const Progress& progress) const;

  const std::vector<Item>& items_;
  Task& task_;
  const RecordRules& rules_;
  IdentitySource identity_source_;
  RunObserver& observer_;
  std::string device_;
  Totals totals_;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

}  // namespace weir::jobs
