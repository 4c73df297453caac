#pragma once

#include <nlohmann/json.hpp>

#include "observe/metrics.hpp"
#include "tasks/guarded_command.hpp"

namespace weir::tasks {

/// The figures of a guarded command for machines.
nlohmann::ordered_json to_json(const GuardedResult& result);

/// "1 process outlived the command and was ended: pid 12 'sleep 1000'"; empty if none did.
std::string leftovers_text(const GuardedResult& result);

/// Sets the metrics of a device (docs/events.md) from that JSON.
void set_device_metrics(const nlohmann::json& report, observe::Metrics& metrics);

}  // namespace weir::tasks
