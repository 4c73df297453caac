#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/text.hpp"
#include "cli/command.hpp"
#include "cli/guard_arguments.hpp"
#include "cli/table.hpp"
#include "device/child_probe.hpp"
#include "device/dirty_lease.hpp"
#include "device/lease_folder.hpp"
#include "device/process_identity.hpp"
#include "device/try_device.hpp"

namespace weir::cli {
namespace {

using Json = nlohmann::ordered_json;

enum class Grade { good, note, bad };

/// One line of the report. Only a bad finding fails the doctor.
struct Finding {
  Grade grade = Grade::good;
  std::string what, text, mend;  ///< mend: the one command that helps; may be empty
};

std::string_view name_of(Grade grade) { return grade == Grade::good ? "ok" : grade == Grade::note ? "note" : "BAD"; }

/// What would make a probe answer.
std::string advice_for(const device::ProbeReport& probe) {
  if (probe.problem.find("does not answer") != std::string::npos) return "look at 'dmesg'; the driver hangs";
  if (probe.name == "NVML" && probe.problem.find("Driver") != std::string::npos)
    return "modprobe nvidia, or nvidia-smi";
  if (probe.name == "Vulkan" && probe.problem.find("driver") != std::string::npos)
    return "apt-get install mesa-vulkan-drivers";
  if (probe.name == "Vulkan") return "apt-get install libvulkan1";
  return {};
}

void look_at_probes(const tasks::Machine& machine, std::vector<Finding>& findings) {
  for (const device::ProbeReport& probe : machine.inventory.probes) {
    const bool hangs = probe.problem.find("does not answer") != std::string::npos;
    const std::string text = probe.answered ? fmt::format("{} devices in {} ms", probe.devices, probe.took.count())
                                            : printable(probe.problem);
    findings.push_back({probe.answered ? Grade::good
                        : hangs        ? Grade::bad
                                       : Grade::note,
                        "probe " + probe.name, text, probe.answered ? "" : advice_for(probe)});
  }
}

std::string measured(const device::Device& device) {
  const auto part = [](const char* name, const std::optional<memory::Reading>& reading) {
    if (!reading) return fmt::format("{}: not known", name);
    return fmt::format("{}: {} ({}, {}{})", name, to_text(reading->value), reading->source, name_of(reading->scope),
                       reading->privilege == memory::Privilege::lacking ? ", more rights would show more" : "");
  };
  return fmt::format("{}; {}; {}; processes: {}", part("total", device.total), part("free", device.free),
                     part("used", device.used), device.processes_known ? "listed" : "not listed");
}

void look_at_devices(const tasks::Machine& machine, std::vector<Finding>& findings) {
  for (const device::Considered& one : machine.choice.considered) {
    const device::Device& device = machine.at(one.device);
    findings.push_back({Grade::good, "device", fmt::format("{}: {}", to_text(device), measured(device)), {}});
    findings.push_back(
        {one.accepted ? Grade::good : Grade::note,
         "policy",
         fmt::format("{}: {}{}", to_text(device), one.accepted ? "allowed: " : "passed over: ", one.reason),
         {}});
  }
  if (machine.choice.order.empty())
    findings.push_back({Grade::bad, "policy", refusal(machine.devices, machine.choice),
                        "change allow, deny or min-memory in weir.toml; 'weir config' says where each comes from"});
  if (!device::sees_machine_pids())
    findings.push_back({Grade::note, "container",
                        "NVML's process numbers are those of the machine and mean nothing here",
                        "start the container with --pid=host to prove placement by NVML"});
}

/// A piece of work in a child with the mask in its environment.
void try_stack(const char* stack, const device::Device& device, const device::EnvironmentChanges& environment,
               Result<std::string> (*work)(const device::Device&), bool expected, std::vector<Finding>& findings) {
  const auto done = device::run_in_child(
      [&]() -> std::string {
        const auto result = work(device);
        return result ? '+' + *result
                      : fmt::format("{}{}", result.error().code == Errc::unsupported ? '?' : '-', result.error().what);
      },
      std::chrono::seconds{60}, environment);
  const std::string answer = done ? *done : '-' + done.error().what;
  const Grade grade = answer.starts_with('+')               ? Grade::good
                      : answer.starts_with('-') || expected ? Grade::bad
                                                            : Grade::note;
  findings.push_back({grade, fmt::format("work with {}", stack), printable(answer.substr(1)),
                      grade == Grade::bad ? "look at 'dmesg'; the driver is there and does not work" : ""});
}

void look_at_the_chosen(const tasks::Machine& machine, const GuardArguments& args, std::vector<Finding>& findings) {
  if (machine.choice.order.empty()) return;
  const std::size_t chosen = machine.choice.order.front();
  const device::Device& device = machine.at(chosen);
  const auto mask = device::make_mask(machine.devices, chosen, machine.masks, wish_of(args).mask);
  if (!mask) {
    findings.push_back({Grade::bad, "mask", mask.error().what, "unset the variable, or allow what it names"});
    return;
  }
  std::string text;
  for (const auto& [name, value] : mask->changes) text += fmt::format("{}{}={}", text.empty() ? "" : " ", name, value);
  findings.push_back({Grade::good, "mask", text, {}});
  for (const std::string& note : mask->notes) findings.push_back({Grade::note, "mask", note, {}});
  if (device.index.vulkan >= 0) {
    // By the place in the unmasked list, so that the device is this one whatever the layers do.
    const device::EnvironmentChanges unmasked{{"MESA_VK_DEVICE_SELECT", ""}, {"DRI_PRIME", ""}};
    try_stack("Vulkan", device, unmasked, device::try_vulkan, true, findings);
  }
  if (device.vendor == device::Vendor::nvidia)
    try_stack("CUDA", device, mask->changes, device::try_cuda, false, findings);
}

void look_at_leases(const tasks::Machine& machine, const Environment& environment, std::vector<Finding>& findings) {
  const auto folder = device::find_lease_folder(environment);
  if (!folder) {
    findings.push_back({Grade::bad, "leases", folder.error().what, "install -d -m 1777 /run/lock/weir"});
    return;
  }
  findings.push_back({folder->warning.empty() ? Grade::good : Grade::note,
                      "leases",
                      folder->warning.empty() ? "in " + printable(folder->path.native()) : folder->warning,
                      {}});
  for (const std::size_t i : machine.choice.order) {
    const auto file = device::LeaseFile::open(folder->path, lease_key(machine.at(i)));
    const auto holders = file ? file->holders() : Result<std::vector<device::Holder>>{file.error()};
    if (!holders) {
      findings.push_back(
          {Grade::bad, "lease", holders.error().what, fmt::format("ls -l {}", printable(folder->path.native()))});
      continue;
    }
    const auto residue = device::find_residue(machine.at(i), {});
    if (holders->empty() && residue)
      findings.push_back({Grade::note, "lease", describe(machine.at(i), *residue, file->read_record(0)), {}});
    else
      findings.push_back({Grade::good,
                          "lease",
                          holders->empty() ? fmt::format("{} is free", to_text(machine.at(i)))
                                           : device::describe({{file->key(), *holders}}),
                          {}});
  }
}

std::string to_text(const std::vector<Finding>& findings) {
  std::vector<std::vector<std::string>> rows;
  rows.reserve(findings.size());
  for (const Finding& finding : findings)
    rows.push_back({std::string{name_of(finding.grade)}, finding.what,
                    finding.mend.empty() ? finding.text : fmt::format("{} -> {}", finding.text, finding.mend)});
  return aligned(rows);
}

std::string to_json_lines(const std::vector<Finding>& findings) {
  std::string text;
  for (const Finding& finding : findings) {
    const Json json{{"grade", finding.grade == Grade::bad ? "bad" : name_of(finding.grade)},
                    {"what", finding.what},
                    {"text", finding.text},
                    {"mend", finding.mend}};
    text += json.dump(-1, ' ', false, Json::error_handler_t::replace) + '\n';
  }
  return text;
}

}  // namespace

Ending run_doctor(const Invocation& invocation) {
  const GuardArguments& args = invocation.args().guard;
  const tasks::Machine machine = tasks::look_at_machine(wish_of(args));
  std::vector<Finding> findings;
  look_at_probes(machine, findings);
  look_at_devices(machine, findings);
  look_at_the_chosen(machine, args, findings);
  look_at_leases(machine, invocation.environment, findings);
  Ending ending = print(invocation.args().json ? to_json_lines(findings) : to_text(findings));
  if (ending.exit != Exit::done) return ending;
  if (machine.choice.order.empty()) return {Exit::nothing_started, "the policy leaves no device"};
  for (const Finding& finding : findings)
    if (finding.grade == Grade::bad) return {Exit::nothing_started, fmt::format("{}: {}", finding.what, finding.text)};
  return ending;
}

}  // namespace weir::cli
