#include "runs/device_growth_monitor.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.hpp"
#include "tasks/guarded_report.hpp"

namespace weir::runs {
namespace {

using observe::Level;

/// Returns the memory in use after the attempt minus that before it, in bytes.
double growth_of(const jobs::Json& report) {
  return jobs::number_field(report, "device_after_bytes") - jobs::number_field(report, "device_before_bytes");
}

}  // namespace

void DeviceGrowthMonitor::record_attempt(const std::string& item, const jobs::Json& report) {
  const std::string device = jobs::text_field(report, "device");
  const std::string what = jobs::text_field(jobs::object_field(report, "error"), "what");
  if (!what.empty()) events_.write(Level::error, "error", {{"item", item}, {"device", device}, {"what", what}});
  if (jobs::number_field(report, "duration_s") <= 0) return;  // the command was never started
  jobs::Json complete = report;
  complete["item"] = item;
  events_.write(Level::info, "test_complete", complete);
  const double peak_growth = jobs::number_field(report, "device_growth_bytes");
  const double allowed = jobs::number_field(report, "allowed_bytes");
  if (allowed > 0 && peak_growth > allowed)
    events_.write(Level::warning, "memory_threshold_exceeded",
                  {{"item", item}, {"device", device}, {"took_bytes", peak_growth}, {"threshold_bytes", allowed}});
  const std::string leak_resolution = jobs::text_field(report, "leak_resolution");
  if (!leak_resolution.empty()) {
    const bool failed = leak_resolution == "failed";
    events_.write(failed ? Level::error : Level::warning, failed ? "emergency_reset_failed" : "emergency_reset",
                  {{"item", item},
                   {"device", device},
                   {"result", leak_resolution},
                   {"left_bytes", std::max(0.0, growth_of(report))},
                   {"reset_command", jobs::text_field(report, "reset_command")}});
  }
  check_growth(item, device, report);
}

void DeviceGrowthMonitor::check_growth(const std::string& item, const std::string& device, const jobs::Json& report) {
  tasks::set_device_metrics(report, metrics_);
  const auto measured = report.find("device_after_bytes");
  if (measured == report.end() || !measured->is_number()) return;
  const Bytes after = jobs::bytes_field(report, "device_after_bytes");
  memory::LevelSeries& growth = growth_[device];
  growth.add(after);
  const bool single_leak = growth_of(report) > static_cast<double>(max_leak_.count());
  const bool keeps_growing = growth.is_leak() && warned_devices_.insert(device).second;
  if (!single_leak && !keeps_growing) return;
  events_.write(
      Level::warning, "memory_leak_warning",
      {{"item", item}, {"device", device}, {"leak_bytes", growth_of(report)}, {"bytes_per_item", growth.slope()}});
  if (keeps_growing)
    warn_(fmt::format("{}: memory in use grows by {} an item", printable(device),
                      to_text(Bytes{static_cast<std::uint64_t>(std::max(0.0, growth.slope()))})));
}

jobs::Json DeviceGrowthMonitor::log_verdicts() {
  jobs::Json devices = jobs::Json::array();
  for (const auto& [device, growth] : growth_) {
    devices.push_back({{"device", device}, {"bytes_per_item", growth.slope()}});
    events_.write(growth.is_leak() ? Level::warning : Level::info, "memory_leak_validation",
                  {{"device", device}, {"bytes_per_item", growth.slope()}, {"passed", !growth.is_leak()}});
  }
  return devices;
}

}  // namespace weir::runs
