#pragma once

#include <map>
#include <set>
#include <string>

#include "base/bytes.hpp"
#include "jobs/json.hpp"
#include "jobs/watch.hpp"
#include "observe/event_log.hpp"
#include "observe/log.hpp"
#include "observe/metrics.hpp"

namespace weir::cli {

/// Writes what guarded commands did to their devices as events and metrics (docs/events.md), one try after the other, and
/// watches what stays in use on each device from try to try: it should be the same after each. Used from one thread.
class DeviceWatch {
 public:
  /// `max_leak`: more than that in use on a device after a try than before is told.
  DeviceWatch(Bytes max_leak, observe::Log& log, observe::EventLog& events, observe::Metrics& metrics)
      : max_leak_{max_leak}, log_{log}, events_{events}, metrics_{metrics} {}
  /// `report`: the figures of tasks::to_json(GuardedEnd) and, if the try failed, `error`.
  void tried(const std::string& item, const jobs::Json& report);
  /// The verdict on each device, when all is over; also as a list of {device, bytes_per_item}.
  jobs::Json verdicts();

 private:
  void watch(const std::string& item, const std::string& device, const jobs::Json& report);

  Bytes max_leak_;
  observe::Log& log_;
  observe::EventLog& events_;
  observe::Metrics& metrics_;
  std::map<std::string, jobs::GrowthWatch> growth_;  // of what stays in use on each device
  std::set<std::string> alarmed_;                    // devices whose growth has been told
};

}  // namespace weir::cli
