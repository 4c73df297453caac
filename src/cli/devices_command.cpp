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

std::string amount(const std::optional<memory::Reading>& reading) {
  if (!reading) return "?";
  const std::string least = reading->scope == memory::Scope::lower_bound ? ">=" : "";
  return least + to_text(reading->value);
}

std::string processes(const device::Device& device) {
  return device.processes_known || !device.processes.empty() ? std::to_string(device.processes.size()) : "?";
}

std::string source_of(const device::Device& device) {
  const auto& reading = device.free ? device.free : device.used ? device.used : device.total;
  return reading ? reading->source : "-";
}

std::string mark(const tasks::Machine& machine, const device::Considered& one) {
  if (!one.accepted) return "no";
  return machine.choice.order.front() == one.device ? "first" : "yes";
}

std::string table(const tasks::Machine& machine) {
  std::vector<std::vector<std::string>> rows{
      {"PCI", "NAME", "KIND", "MEMORY", "USED", "FREE", "BY", "PROCESSES", "USE", "WHY"}};
  for (const device::Considered& one : machine.choice.considered) {
    const device::Device& device = machine.at(one.device);
    rows.push_back({device.pci ? to_text(*device.pci) : "-", printable(device.name), std::string{name_of(device.kind)},
                    amount(device.total), amount(device.used), amount(device.free), source_of(device),
                    processes(device), mark(machine, one), one.reason});
  }
  return rows.size() == 1 ? "no GPU was found; 'weir doctor' says where it was looked for\n" : aligned(rows);
}

std::string json_lines(const tasks::Machine& machine) {
  std::string text;
  for (const device::Considered& one : machine.choice.considered) {
    Json json = to_json(machine.at(one.device));
    json["accepted"] = one.accepted;
    json["reason"] = one.reason;
    text += json.dump(-1, ' ', false, Json::error_handler_t::replace) + '\n';
  }
  return text;
}

}  // namespace

Ending run_devices(const Invocation& invocation) {
  const tasks::Machine machine = tasks::look_at_machine(wish_of(invocation.args().guard));
  warn_of_silence(machine, invocation.args().quiet);
  return print(invocation.args().json ? json_lines(machine) : table(machine));
}

}  // namespace weir::cli
