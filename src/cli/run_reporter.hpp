#pragma once

#include <chrono>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "cli/arguments.hpp"
#include "cli/junit.hpp"
#include "cli/report.hpp"
#include "jobs/run.hpp"
#include "jobs/watch.hpp"
#include "observe/event_log.hpp"
#include "observe/log.hpp"
#include "observe/metrics.hpp"

namespace weir::cli {

/// Tells people, machines, the log and the metrics what becomes of each command of a run, and watches the memory that
/// devices keep from item to item.
class RunReporter final : public jobs::RunObserver {
 public:
  RunReporter(const Arguments& args, observe::Log& log, observe::EventLog& events, observe::Metrics& metrics)
      : args_{args}, log_{log}, events_{events}, metrics_{metrics} {}
  void decided(const jobs::Item& item, const jobs::Decision& decision) override;
  void ended(const jobs::Item& item, const jobs::ItemEnd& end) override;
  void progress(const jobs::RunProgress& progress) override;
  void said(jobs::Loudness loudness, const std::string& text) override;
  /// At the end of a run.
  void summary(const jobs::Totals& totals);

  const std::vector<TestCase>& cases() const { return cases_; }
  const std::optional<Error>& output_problem() const { return output_.problem(); }

 private:
  void tell(const jobs::Item& item, const jobs::ItemEnd& end, const jobs::Json& report);
  void watch_device(const jobs::Item& item, const jobs::Json& report);
  void note_once(const std::string& name, const std::string& note);

  const Arguments& args_;
  observe::Log& log_;
  observe::EventLog& events_;
  observe::Metrics& metrics_;
  ResultOutput output_;
  std::vector<TestCase> cases_;
  std::set<std::string> noted_;                      // a note is told once, with the first item that it is of
  std::map<std::string, jobs::GrowthWatch> growth_;  // of what stays in use on each device after an item
  std::set<std::string> alarmed_;                    // devices whose growth has been told
  double one_after_the_other_s_ = 0;
  std::chrono::steady_clock::time_point shown_ = std::chrono::steady_clock::now();
};

}  // namespace weir::cli
