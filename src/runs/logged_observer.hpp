#pragma once

#include <filesystem>
#include <stop_token>
#include <string>
#include <utility>

#include "jobs/run.hpp"
#include "runs/run_logs.hpp"

namespace weir::runs {

/// Stands between a run in this process and who watches it: writes its items to the logs, and holds it up while the file of a
/// pause exists. The references must outlive it.
class LoggedObserver final : public jobs::RunObserver {
 public:
  LoggedObserver(jobs::RunObserver& watcher, RunLogs& logs, std::filesystem::path pause_file, std::stop_token stop)
      : watcher_{watcher}, logs_{logs}, pause_file_{std::move(pause_file)}, stop_{std::move(stop)} {}
  void decided(const jobs::Item& item, const jobs::Decision& decision) override;
  void tried(const jobs::Item& item, const std::string& report) override { watcher_.tried(item, report); }
  void ended(const jobs::Item& item, const jobs::ItemEnd& end) override;
  void progress(const jobs::RunProgress& progress) override;
  void said(jobs::Loudness loudness, const std::string& text) override { watcher_.said(loudness, text); }

 private:
  bool is_paused() const;
  void wait_while_paused();

  jobs::RunObserver& watcher_;
  RunLogs& logs_;
  std::filesystem::path pause_file_;
  std::stop_token stop_;
};

}  // namespace weir::runs
