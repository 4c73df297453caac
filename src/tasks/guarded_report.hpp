#pragma once

#include <nlohmann/json.hpp>

#include "observe/metrics.hpp"
#include "tasks/guarded_command.hpp"

namespace weir::tasks {

/// Converts the result of a guarded command to JSON.
nlohmann::ordered_json to_json(const GuardedResult& result);

/// Returns a text such as "1 process outlived the command and was ended: pid 12 'sleep'"; empty if no process
/// outlived the command.
std::string leftovers_text(const GuardedResult& result);

/// Sets the metrics of the device (docs/events.md) from `report`, the JSON of to_json(). Does nothing if the report
/// names no device or has no measured memory.
void set_device_metrics(const nlohmann::json& report, observe::Metrics& metrics);

}  // namespace weir::tasks
