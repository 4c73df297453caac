#pragma once

#include <string>

#include "observe/run_report.hpp"

namespace weir::observe {

// Sections of run_report_html().

/// Returns the colour of a device in all charts of the report, such as "#3867b7".
std::string device_colour(const RunReport& report, const std::string& device);

/// Returns a section with the time that each device spent in each stage of the work (decode, network, encode), as parts
/// of the time in which it had items; empty if the log has no such times.
std::string stage_times_html(const RunReport& report);

/// Returns a section for each item that waits for others, with a chart of these in their order: the device, the speed and
/// the memory of each. Empty if there is no such item.
std::string parts_html(const RunReport& report);

}  // namespace weir::observe
