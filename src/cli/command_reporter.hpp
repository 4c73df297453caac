#pragma once

#include <set>
#include <string>
#include <vector>

#include "cli/item_reporter.hpp"
#include "cli/junit.hpp"
#include "runs/device_growth_monitor.hpp"
#include "runs/run_logs.hpp"

namespace weir::cli {

/// Reports the result of each external command of a run (`weir run` with items): as text on standard error, with --json
/// as JSON on standard output, and the growth of the devices' memory as events and metrics.
class CommandReporter final : public ItemReporter {
 public:
  CommandReporter(const Arguments& args, observe::Log& log, runs::RunLogs& logs)
      : ItemReporter{args, log},
        device_growth_{args.guard.max_leak, [&log](const std::string& line) { log.warning(line); }, logs.events,
                       logs.metrics} {}
  void on_attempt(const jobs::Item& item, const std::string& report) override;
  void on_item_result(const jobs::Item& item, const jobs::ItemResult& result) override;
  /// Reports the totals at the end of a run.
  void summary(const jobs::Totals& totals);

  /// Returns one test case for each item that has ended; an empty list if --junit is not given.
  const std::vector<TestCase>& cases() const { return cases_; }

 private:
  std::string progress_text(const jobs::RunProgress& progress, int columns) const override;
  /// Logs the result and notes of an item.
  void log_result(const jobs::Item& item, const jobs::ItemResult& result, const jobs::Json& report);
  /// Logs the note with the item's name, unless an earlier item had the same note.
  void note_once(const std::string& name, const std::string& note);

  runs::DeviceGrowthMonitor device_growth_;
  std::vector<TestCase> cases_;
  // Notes that were logged. A note is logged only once, with the first item that has it.
  std::set<std::string> reported_notes_;
  double sequential_s_ = 0;  // sum of the run times of all commands, in seconds
};

}  // namespace weir::cli
