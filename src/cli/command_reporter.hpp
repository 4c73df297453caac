#pragma once

#include <set>
#include <string>
#include <vector>

#include "cli/item_reporter.hpp"
#include "cli/junit.hpp"
#include "runs/device_growth_monitor.hpp"
#include "runs/run_logs.hpp"

namespace weir::cli {

/// Tells people, machines, the log and the metrics what becomes of each command of a run.
class CommandReporter final : public ItemReporter {
 public:
  CommandReporter(const Arguments& args, observe::Log& log, runs::RunLogs& logs)
      : ItemReporter{args, log},
        device_growth_{args.guard.max_leak, [&log](const std::string& line) { log.warning(line); }, logs.events,
                       logs.metrics} {}
  void on_attempt(const jobs::Item& item, const std::string& report) override;
  void on_item_result(const jobs::Item& item, const jobs::ItemResult& result) override;
  /// At the end of a run.
  void summary(const jobs::Totals& totals);

  const std::vector<TestCase>& cases() const { return cases_; }

 private:
  std::string progress_text(const jobs::RunProgress& progress, int columns) const override;
  void log_result(const jobs::Item& item, const jobs::ItemResult& result, const jobs::Json& report);
  void note_once(const std::string& name, const std::string& note);

  runs::DeviceGrowthMonitor device_growth_;
  std::vector<TestCase> cases_;
  std::set<std::string> reported_notes_;  // a note is told once, with the first item that it is of
  double sequential_s_ = 0;
};

}  // namespace weir::cli
