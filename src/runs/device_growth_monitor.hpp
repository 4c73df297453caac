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

/// Writes what guarded commands did to their devices as events and metrics (docs/events.md), one try after the other, and
/// watches what stays in use on each device from try to try: it should be the same after each. Used from one thread.
class DeviceGrowthMonitor {
 public:
  /// `max_leak`: more than that in use on a device after a try than before is an event. `warn` is told, once for each device,
  /// that what is in use there grows.
  DeviceGrowthMonitor(Bytes max_leak, std::function<void(const std::string&)> warn, observe::EventLog& events,
                      observe::Metrics& metrics)
      : max_leak_{max_leak}, warn_{std::move(warn)}, events_{events}, metrics_{metrics} {}
  /// `report`: the figures of tasks::to_json(GuardedEnd) and, if the try failed, `error`.
  void record_attempt(const std::string& item, const jobs::Json& report);
  /// The verdict on each device, when all is over; also as a list of {device, bytes_per_item}.
  jobs::Json log_verdicts();

 private:
  void check_growth(const std::string& item, const std::string& device, const jobs::Json& report);

  Bytes max_leak_;
  std::function<void(const std::string&)> warn_;
  observe::EventLog& events_;
  observe::Metrics& metrics_;
  std::map<std::string, memory::LevelSeries> growth_;  // of what stays in use on each device
  std::set<std::string> warned_devices_;               // devices whose growth has been told
};

}  // namespace weir::runs
