#pragma once

#include <set>
#include <string>
#include <vector>

#include "cli/item_reporter.hpp"
#include "cli/junit.hpp"
#include "runs/device_watch.hpp"
#include "runs/run_logs.hpp"

namespace weir::cli {

/// Tells people, machines, the log and the metrics what becomes of each command of a run.
class RunReporter final : public ItemReporter {
 public:
  RunReporter(const Arguments& args, observe::Log& log, runs::RunLogs& logs)
      : ItemReporter{args, log},
        watch_{args.guard.max_leak, [&log](const std::string& line) { log.warning(line); }, logs.events, logs.metrics} {
  }
  void tried(const jobs::Item& item, const std::string& report) override;
  void ended(const jobs::Item& item, const jobs::ItemEnd& end) override;
  /// At the end of a run.
  void summary(const jobs::Totals& totals);

  const std::vector<TestCase>& cases() const { return cases_; }

 private:
  std::string progress_text(const jobs::RunProgress& progress, int columns) const override;
  void tell(const jobs::Item& item, const jobs::ItemEnd& end, const jobs::Json& report);
  void note_once(const std::string& name, const std::string& note);

  runs::DeviceWatch watch_;
  std::vector<TestCase> cases_;
  std::set<std::string> noted_;  // a note is told once, with the first item that it is of
  double one_after_the_other_s_ = 0;
};

}  // namespace weir::cli
