#pragma once

#include <filesystem>
#include <stop_token>
#include <string>
#include <utility>

#include "jobs/run.hpp"
#include "runs/run_logs.hpp"

namespace weir::runs {

/// The observer of an InProcessRun: forwards every call to another observer, writes decisions and results as events and
/// metrics, and blocks the run while the pause file exists. (For a run with workers, the coordinator does this itself.)
class LoggingObserver final : public jobs::RunObserver {
 public:
  /// The references must outlive the object. `pause_file`: empty: no pauses. `stop`: a stop ends a pause.
  LoggingObserver(jobs::RunObserver& observer, RunLogs& logs, std::filesystem::path pause_file, std::stop_token stop)
      : observer_{observer}, logs_{logs}, pause_file_{std::move(pause_file)}, stop_{std::move(stop)} {}
  void on_decision(const jobs::Item& item, const jobs::Decision& decision) override;
  void on_attempt(const jobs::Item& item, const std::string& report) override { observer_.on_attempt(item, report); }
  void on_item_result(const jobs::Item& item, const jobs::ItemResult& result) override;
  void on_progress(const jobs::RunProgress& progress) override;
  void on_message(jobs::Severity severity, const std::string& text) override { observer_.on_message(severity, text); }

 private:
  bool is_paused() const;
  void wait_while_paused();

  jobs::RunObserver& observer_;
  RunLogs& logs_;
  std::filesystem::path pause_file_;
  std::stop_token stop_;
};

}  // namespace weir::runs
