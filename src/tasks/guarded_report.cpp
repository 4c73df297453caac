#include "tasks/guarded_report.hpp"

#include <ctime>

#include <fmt/format.h>

namespace weir::tasks {
namespace {

using OrderedJson = nlohmann::ordered_json;
using observe::MetricDefinition;
using observe::MetricType;

constexpr MetricDefinition kPeakMemory{"gpu_memory_allocated_bytes", MetricType::gauge,
                                       "Largest memory in use on the device while the last command ran there."};
constexpr MetricDefinition kMemoryGrowth{
    "gpu_memory_leak_bytes", MetricType::gauge,
    "Memory in use on the device after the last command, minus the memory in use before it."};
constexpr MetricDefinition kPeakMemoryPercent{
    "gpu_utilization_percent", MetricType::gauge,
    "Largest share of the device's memory in use while the last command ran there."};
constexpr MetricDefinition kLastCommandEnd{"gpu_timestamp_seconds", MetricType::gauge,
                                           "When the last command on the device ended, in seconds since 1970."};

double number_or_zero(const nlohmann::json& report, const char* key) {
  const auto found = report.find(key);
  return found != report.end() && found->is_number() ? found->get<double>() : 0;
}

}  // namespace

std::string leftovers_text(const GuardedResult& result) {
  const std::size_t count = result.leftover_processes.size();
  if (count == 0) return {};
  return fmt::format("{} process{} outlived the command and {} ended: {}", count, count == 1 ? "" : "es",
                     count == 1 ? "was" : "were", device::describe(result.leftover_processes));
}

nlohmann::ordered_json to_json(const GuardedResult& result) {
  const auto if_measured = [&](Bytes bytes) {
    return result.device_measured ? OrderedJson(bytes.count()) : OrderedJson{};
  };
  OrderedJson json{
      {"status", result.refused ? OrderedJson{} : OrderedJson(result.status)},
      {"device", result.device},
      {"variant", result.variant},
      {"placement", device::name_of(result.placement.status)},
      {"placement_by", result.placement.text},
      {"device_before_bytes", if_measured(result.device_before)},
      {"device_peak_bytes", if_measured(result.device_peak)},
      {"device_after_bytes", result.driver_unresponsive ? OrderedJson{} : if_measured(result.device_after)},
      {"device_growth_bytes", result.driver_unresponsive ? OrderedJson{} : if_measured(result.device_growth)},
      {"allowed_bytes", result.need_with_context.count()},
      {"peak_bytes", result.peak_ram.count()},
      {"samples", result.samples},
      {"leftover_processes", result.leftover_processes.size()},
      {"waited_s", result.waited_s},
      {"duration_s", result.duration_s}};
  if (!result.leftover_processes.empty()) json["leftover_process_list"] = device::describe(result.leftover_processes);
  if (!result.leak_resolution.empty()) json["leak_resolution"] = result.leak_resolution;
  if (!result.reset_command.empty()) json["reset_command"] = result.reset_command;
  if (result.initial_device && result.initial_device->total)
    json["device_total_bytes"] = result.initial_device->total->value.count();
  return json;
}

void set_device_metrics(const nlohmann::json& report, observe::Metrics& metrics) {
  const auto device = report.find("device");
  const auto peak = report.find("device_peak_bytes");  // null where it could not be measured; 0 is a measured value
  if (device == report.end() || !device->is_string() || device->get<std::string>().empty()) return;
  if (peak == report.end() || !peak->is_number()) return;
  const observe::Metrics::Labels labels{{"device", device->get<std::string>()}};
  metrics.set(kPeakMemory, number_or_zero(report, "device_peak_bytes"), labels);
  const auto after = report.find("device_after_bytes");
  if (after != report.end() && after->is_number())
    metrics.set(kMemoryGrowth,
                number_or_zero(report, "device_after_bytes") - number_or_zero(report, "device_before_bytes"), labels);
  const double total = number_or_zero(report, "device_total_bytes");
  if (total > 0) metrics.set(kPeakMemoryPercent, 100 * number_or_zero(report, "device_peak_bytes") / total, labels);
  metrics.set(kLastCommandEnd, static_cast<double>(std::time(nullptr)), labels);
}

}  // namespace weir::tasks
