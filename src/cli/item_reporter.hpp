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

/// What is told in the same way of every run of many items, whatever they are.
class ItemReporter : public jobs::RunObserver {
 public:
  ItemReporter(const Arguments& args, observe::Log& log) : args_{args}, log_{log} {}
  void on_decision(const jobs::Item& item, const jobs::Decision& decision) override;
  void on_progress(const jobs::RunProgress& progress) override;
  void on_message(jobs::Severity severity, const std::string& text) override;

  const std::optional<Error>& output_problem() const { return output_.problem(); }

 protected:
  /// How far the run is, in at most so many columns.
  virtual std::string progress_text(const jobs::RunProgress& progress, int columns) const = 0;
  void print_line(const nlohmann::ordered_json& json);  ///< on standard output
  const Arguments& args() const { return args_; }
  observe::Log& log() { return log_; }

 private:
  const Arguments& args_;
  observe::Log& log_;
  ResultOutput output_;
  bool format_warned_ = false;  ///< that checkpoints of another version of weir were met
  std::chrono::steady_clock::time_point last_progress_time_ = std::chrono::steady_clock::now();
};

/// "3 of 5 pictures done (1 again), 1 done before, 1 failed"; `refused` of the failed ones, told if it is not 0.
std::string counts_text(const jobs::Totals& totals, std::string_view items, std::size_t refused);

}  // namespace weir::cli
