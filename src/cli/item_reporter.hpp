#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "cli/arguments.hpp"
#include "cli/report.hpp"
#include "jobs/run.hpp"
#include "observe/log.hpp"

namespace weir::cli {

/// Base class of the reporters of runs: reports decisions, progress and messages; derived classes report the results.
class ItemReporter : public jobs::RunObserver {
 public:
  ItemReporter(const Arguments& args, observe::Log& log) : args_{args}, log_{log} {}
  void on_decision(const jobs::Item& item, const jobs::Decision& decision) override;
  void on_progress(const jobs::RunProgress& progress) override;
  void on_message(jobs::Severity severity, const std::string& text) override;

  /// Returns the error if results could not be printed on standard output.
  const std::optional<Error>& output_problem() const { return output_.problem(); }

 protected:
  /// Returns the progress of the run, in at most `columns` columns.
  virtual std::string progress_text(const jobs::RunProgress& progress, int columns) const = 0;
  void print_line(const nlohmann::ordered_json& json);  ///< prints on standard output
  const Arguments& args() const { return args_; }
  observe::Log& log() { return log_; }

 private:
  const Arguments& args_;
  observe::Log& log_;
  ResultOutput output_;
  bool format_warned_ = false;  // a record with another format was reported (Decision::record_has_other_format)
  std::chrono::steady_clock::time_point last_progress_time_ = std::chrono::steady_clock::now();
};

/// Returns a text such as "3 of 5 pictures done (1 again), 1 done before, 1 failed". "Again": the item was done in an
/// earlier run too; "before": it was done only in an earlier run. `items`: name of the items ("pictures"). `refused`:
/// number of refused items to mention; 0: refused items are not mentioned.
std::string counts_text(const jobs::Totals& totals, std::string_view items, std::size_t refused);

}  // namespace weir::cli
