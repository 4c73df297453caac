#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "base/bytes.hpp"
#include "jobs/json.hpp"
#include "memory/level_series.hpp"
#include "observe/event_log.hpp"
#include "observe/metrics.hpp"

namespace weir::runs {

/// Writes the device measurements of commands (tasks::run_guarded_command()) as events and metrics (docs/events.md),
/// and monitors the memory that is in use on each device after each attempt, which should stay the same. Not
/// thread-safe.
class DeviceGrowthMonitor {
 public:
  /// `max_leak`: largest growth of the memory in use during one attempt that is normal; a larger growth is written as a
  /// warning event. `warn` is called once for each device whose memory in use keeps growing over many attempts
  /// (LevelSeries::is_leak). The references must outlive this object.
  DeviceGrowthMonitor(Bytes max_leak, std::function<void(const std::string&)> warn, observe::EventLog& events,
                      observe::Metrics& metrics)
      : max_leak_{max_leak}, warn_{std::move(warn)}, events_{events}, metrics_{metrics} {}
  /// Records an attempt at an item (or a single command) with this name. `report` contains the fields of
  /// tasks::to_json(GuardedResult) and, if the attempt failed, `error`. If the command was never started, only the
  /// error is written.
  void record_attempt(const std::string& item, const jobs::Json& report);
  /// Writes an event for each device, with the verdict whether its memory keeps growing. Call it after the last
  /// attempt. Returns a JSON array of {device, bytes_per_item}, where bytes_per_item is the growth per attempt.
  jobs::Json log_verdicts();

 private:
  void check_growth(const std::string& item, const std::string& device, const jobs::Json& report);

  Bytes max_leak_;
  std::function<void(const std::string&)> warn_;
  observe::EventLog& events_;
  observe::Metrics& metrics_;
  std::map<std::string, memory::LevelSeries> growth_;  // memory in use after each attempt, by device
  std::set<std::string> warned_devices_;               // devices whose growth has been reported
};

}  // namespace weir::runs
