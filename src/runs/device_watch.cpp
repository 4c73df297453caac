#include "runs/device_watch.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.hpp"
#include "tasks/guarded_report.hpp"

namespace weir::runs {
namespace {

using observe::Level;

double grown_of(const jobs::Json& report) {
  return jobs::number_field(report, "device_after_bytes") - jobs::number_field(report, "device_before_bytes");
}

}  // namespace

void DeviceWatch::tried(const std::string& item, const jobs::Json& report) {
  const std::string device = jobs::text_field(report, "device");
  const std::string what = jobs::text_field(jobs::object_field(report, "error"), "what");
  if (!what.empty()) events_.write(Level::error, "error", {{"item", item}, {"device", device}, {"what", what}});
  if (jobs::number_field(report, "took_s") <= 0) return;  // it was never started
  jobs::Json complete = report;
  complete["item"] = item;
  events_.write(Level::info, "test_complete", complete);
  const double took = jobs::number_field(report, "device_took_bytes");
  const double allowed = jobs::number_field(report, "allowed_bytes");
  if (allowed > 0 && took > allowed)
    events_.write(Level::warning, "memory_threshold_exceeded",
                  {{"item", item}, {"device", device}, {"took_bytes", took}, {"threshold_bytes", allowed}});
  const std::string emergency = jobs::text_field(report, "emergency");
  if (!emergency.empty()) {
    const bool failed = emergency == "failed";
    events_.write(failed ? Level::error : Level::warning, failed ? "emergency_reset_failed" : "emergency_reset",
                  {{"item", item},
                   {"device", device},
                   {"outcome", emergency},
                   {"left_bytes", std::max(0.0, grown_of(report))},
                   {"reset_command", jobs::text_field(report, "reset_command")}});
  }
  watch(item, device, report);
}

void DeviceWatch::watch(const std::string& item, const std::string& device, const jobs::Json& report) {
  tasks::count_device(report, metrics_);
  const auto measured = report.find("device_after_bytes");
  if (measured == report.end() || !measured->is_number()) return;
  const Bytes after = jobs::bytes_field(report, "device_after_bytes");
  memory::LevelSeries& growth = growth_[device];
  growth.add(after);
  const bool one = grown_of(report) > static_cast<double>(max_leak_.count());
  const bool creeps = growth.is_leak() && alarmed_.insert(device).second;
  if (!one && !creeps) return;
  events_.write(
      Level::warning, "memory_leak_warning",
      {{"item", item}, {"device", device}, {"leak_bytes", grown_of(report)}, {"bytes_per_item", growth.slope()}});
  if (creeps)
    warn_(fmt::format("{}: memory in use grows by {} an item", printable(device),
                      to_text(Bytes{static_cast<std::uint64_t>(std::max(0.0, growth.slope()))})));
}

jobs::Json DeviceWatch::verdicts() {
  jobs::Json devices = jobs::Json::array();
  for (const auto& [device, growth] : growth_) {
    devices.push_back({{"device", device}, {"bytes_per_item", growth.slope()}});
    events_.write(growth.is_leak() ? Level::warning : Level::info, "memory_leak_validation",
                  {{"device", device}, {"bytes_per_item", growth.slope()}, {"passed", !growth.is_leak()}});
  }
  return devices;
}

}  // namespace weir::runs
