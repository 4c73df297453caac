// `weir devices`: lists the GPUs, and which of them the policy accepts.

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/text.hpp"
#include "cli/command.hpp"
#include "cli/guard_arguments.hpp"
#include "cli/table.hpp"
#include "device/device_json.hpp"

namespace weir::cli {
namespace {

using Json = nlohmann::ordered_json;

std::string amount_text(const std::optional<memory::Reading>& reading) {
  if (!reading) return "?";
  const std::string prefix = reading->coverage == memory::Coverage::lower_bound ? ">=" : "";
  return prefix + to_text(reading->value);
}

std::string process_count_text(const device::Device& device) {
  return device.has_process_list || !device.processes.empty() ? std::to_string(device.processes.size()) : "?";
}

/// Returns the source of the memory values: that of the free memory, else of the used, else of the total memory.
std::string source_of(const device::Device& device) {
  const auto& reading = device.free ? device.free : device.used ? device.used : device.total;
  return reading ? reading->source : "-";
}

/// Returns the text of the column USE.
std::string use_text(const tasks::Machine& machine, const device::DeviceAssessment& assessment) {
  if (!assessment.accepted) return "no";
  return machine.choice.ranked.front() == assessment.device_index ? "first" : "yes";
}

std::string device_table(const tasks::Machine& machine) {
  std::vector<std::vector<std::string>> rows{
      {"PCI", "NAME", "KIND", "MEMORY", "USED", "FREE", "BY", "PROCESSES", "USE", "WHY"}};
  for (const device::DeviceAssessment& assessment : machine.choice.assessments) {
    const device::Device& device = machine.device_at(assessment.device_index);
    rows.push_back({device.pci ? to_text(*device.pci) : "-", printable(device.name), std::string{name_of(device.kind)},
                    amount_text(device.total), amount_text(device.used), amount_text(device.free), source_of(device),
                    process_count_text(device), use_text(machine, assessment), assessment.reason});
  }
  return rows.size() == 1 ? "no GPU was found; 'weir doctor' lists where weir searched\n" : align_columns(rows);
}

std::string json_lines(const tasks::Machine& machine) {
  std::string text;
  for (const device::DeviceAssessment& assessment : machine.choice.assessments) {
    Json json = to_json(machine.device_at(assessment.device_index));
    json["accepted"] = assessment.accepted;
    json["reason"] = assessment.reason;
    text += json.dump(-1, ' ', false, Json::error_handler_t::replace) + '\n';
  }
  return text;
}

}  // namespace

ExitResult run_devices(const Invocation& invocation) {
  const tasks::Machine machine = tasks::inspect_machine(make_device_request(invocation.args().guard));
  warn_unanswered_drivers(machine, invocation.args().quiet);
  return print(invocation.args().json ? json_lines(machine) : device_table(machine));
}

}  // namespace weir::cli
