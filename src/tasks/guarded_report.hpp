#pragma once

#include <nlohmann/json.hpp>

#include "observe/metrics.hpp"
#include "tasks/guarded_command.hpp"

namespace weir::tasks {

/// The figures of a guarded command for machines.
nlohmann::ordered_json to_json(const GuardedEnd& end);

/// Sets the metrics of a device (docs/events.md) from that JSON.
void count_device(const nlohmann::json& report, observe::Metrics& metrics);

}  // namespace weir::tasks
