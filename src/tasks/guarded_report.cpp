#include "tasks/guarded_report.hpp"

#include <ctime>

#include <fmt/format.h>

namespace weir::tasks {
namespace {

using OrderedJson = nlohmann::ordered_json;
using observe::MetricName;
using observe::MetricType;

constexpr MetricName kAllocated{"gpu_memory_allocated_bytes", MetricType::gauge,
                                "Most memory in use on the device while the last command ran there."};
constexpr MetricName kLeak{"gpu_memory_leak_bytes", MetricType::gauge,
                           "In use on the device after the last command that had it alone, less what was before."};
constexpr MetricName kUtilization{"gpu_utilization_percent", MetricType::gauge,
                                  "Of the device's memory, in use at most while the last command ran there."};
constexpr MetricName kTimestamp{"gpu_timestamp_seconds", MetricType::gauge,
                                "When the last command on the device ended, in seconds since 1970."};

double number(const nlohmann::json& report, const char* key) {
  const auto found = report.find(key);
  return found != report.end() && found->is_number() ? found->get<double>() : 0;
}

}  // namespace

std::string leftovers_text(const GuardedEnd& end) {
  const std::size_t count = end.left_behind.size();
  if (count == 0) return {};
  return fmt::format("{} process{} outlived the command and {} ended: {}", count, count == 1 ? "" : "es",
                     count == 1 ? "was" : "were", device::describe(end.left_behind));
}

nlohmann::ordered_json to_json(const GuardedEnd& end) {
  const auto on_device = [&](Bytes bytes) {
    return end.device_measured ? nlohmann::ordered_json(bytes.count()) : nlohmann::ordered_json{};
  };
  nlohmann::ordered_json json{{"status", end.refused ? nlohmann::ordered_json{} : nlohmann::ordered_json(end.status)},
                              {"device", end.device},
                              {"variant", end.variant},
                              {"placement", device::name_of(end.placement.outcome)},
                              {"placement_by", end.placement.text},
                              {"device_before_bytes", on_device(end.device_before)},
                              {"device_peak_bytes", on_device(end.device_peak)},
                              {"device_after_bytes", end.driver_silent ? OrderedJson{} : on_device(end.device_after)},
                              {"device_took_bytes", end.driver_silent ? OrderedJson{} : on_device(end.device_took)},
                              {"allowed_bytes", end.allowed.count()},
                              {"peak_bytes", end.peak.count()},
                              {"samples", end.samples},
                              {"left_behind", end.left_behind.size()},
                              {"waited_s", end.waited_s},
                              {"took_s", end.took_s}};
  if (!end.left_behind.empty()) json["left_behind_processes"] = device::describe(end.left_behind);
  if (!end.emergency.empty()) json["emergency"] = end.emergency;
  if (!end.reset_command.empty()) json["reset_command"] = end.reset_command;
  if (end.used && end.used->total) json["device_total_bytes"] = end.used->total->value.count();
  return json;
}

void count_device(const nlohmann::json& report, observe::Metrics& metrics) {
  const auto device = report.find("device");
  const auto peak = report.find("device_peak_bytes");  // null where nobody could measure; 0 is a measured value
  if (device == report.end() || !device->is_string() || device->get<std::string>().empty()) return;
  if (peak == report.end() || !peak->is_number()) return;
  const observe::Metrics::Labels labels{{"device", device->get<std::string>()}};
  metrics.set(kAllocated, number(report, "device_peak_bytes"), labels);
  const auto after = report.find("device_after_bytes");
  if (after != report.end() && after->is_number())
    metrics.set(kLeak, number(report, "device_after_bytes") - number(report, "device_before_bytes"), labels);
  const double total = number(report, "device_total_bytes");
  if (total > 0) metrics.set(kUtilization, 100 * number(report, "device_peak_bytes") / total, labels);
  metrics.set(kTimestamp, static_cast<double>(std::time(nullptr)), labels);
}

}  // namespace weir::tasks
