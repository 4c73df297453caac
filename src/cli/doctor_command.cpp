#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/file_facts.hpp"
#include "base/text.hpp"
#include "cli/command.hpp"
#include "cli/doctor_advice.hpp"
#include "cli/doctor_commands.hpp"
#include "cli/doctor_report.hpp"
#include "cli/guard_arguments.hpp"
#include "device/child_probe.hpp"
#include "device/dirty_lease.hpp"
#include "device/lease_folder.hpp"
#include "device/process_identity.hpp"
#include "device/try_device.hpp"

namespace weir::cli {
namespace {

/// What would make a probe answer.
std::string advice_for(const device::ProbeReport& probe) {
  if (probe.hung) return "look at 'dmesg'; the driver hangs";
  if (probe.name == "NVML" && probe.problem.find("Driver") != std::string::npos)
    return "modprobe nvidia, or nvidia-smi";
  if (probe.name == "Vulkan" && probe.problem.find("driver") != std::string::npos)
    return "apt-get install mesa-vulkan-drivers";
  if (probe.name == "Vulkan") return "apt-get install libvulkan1";
  return {};
}

void look_at_probes(const tasks::Machine& machine, std::vector<Finding>& findings) {
  for (const device::ProbeReport& probe : machine.inventory.probes) {
    const std::string limited = probe.answered && probe.devices == 0 ? limited_addresses() : std::string{};
    const std::string text = probe.answered ? fmt::format("{} devices in {} ms", probe.devices, probe.took.count())
                                            : printable(probe.problem);
    findings.push_back({!limited.empty() ? Grade::note
                        : probe.answered ? Grade::good
                        : probe.hung     ? Grade::bad
                                         : Grade::note,
                        "probe " + probe.name, limited.empty() ? text : fmt::format("{}; {}", text, limited),
                        probe.answered ? "" : advice_for(probe)});
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
  if (!machine.devices.empty() && !device::sees_machine_pids())
    findings.push_back({Grade::note, "container",
                        "NVML's process numbers are those of the machine and mean nothing here",
                        "start the container with --pid=host to prove placement by NVML"});
}

bool is_hardware(const device::Device& device) { return device.kind != device::Kind::software; }

/// Whether the user said which device is wanted, on the command line, in the environment or in weir.toml.
bool is_explicit(const GuardArguments& args) {
  return demands_device(args) || !args.deny.empty() || !args.prefer.empty();
}

/// Why the policy leaves no device; empty if it leaves one.
std::string why_no_device(const tasks::Machine& machine) {
  if (!machine.choice.order.empty()) return {};
  const bool any = std::any_of(machine.devices.begin(), machine.devices.end(), is_hardware);
  const std::string silent = device::unanswered(machine.inventory);
  return any ? refusal_of(machine).what : silent.empty() ? "no GPU was found" : silent;
}

/// Patterns of one list that no device matches. A list of which no pattern matches any names devices that are not there.
void look_at_names(const char* list, const std::vector<std::string>& patterns, bool wanted,
                   const tasks::Machine& machine, std::vector<Finding>& findings) {
  std::vector<std::string> absent;
  for (std::string_view pattern : patterns) {
    const std::string_view name = pattern.starts_with('!') ? pattern.substr(1) : pattern;
    const bool there = std::any_of(machine.devices.begin(), machine.devices.end(),
                                   [&](const device::Device& device) { return matches(device, name); });
    if (!there) absent.push_back(printable(pattern));
  }
  if (absent.empty()) return;
  const bool fault = wanted && absent.size() == patterns.size();
  findings.push_back({fault ? Grade::bad : Grade::note, "policy",
                      fmt::format("{}: no device is called '{}'", list, fmt::join(absent, "' or '")),
                      "'weir devices' lists the names; 'weir config' says where the setting comes from"});
}

/// The policy as a whole: a default that leaves no device is no fault on a machine without a GPU.
void look_at_policy(const tasks::Machine& machine, const GuardArguments& args, const Surroundings& around,
                    std::vector<Finding>& findings) {
  look_at_names("--device", args.device, true, machine, findings);
  look_at_names("allow", args.allow, true, machine, findings);
  look_at_names("prefer", args.prefer, true, machine, findings);
  look_at_names("deny", args.deny, false, machine, findings);
  if (around.no_device.empty()) return;
  findings.push_back({around.device_fault ? Grade::bad : Grade::note, "policy", around.no_device,
                      around.device_fault ? mend_for_no_device(machine, args) : ""});
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

/// The folder for leases, in which this user can make files. Errors: those of find_lease_folder; io.
Result<device::LeaseFolder> writable_lease_folder(const Environment& environment) {
  auto folder = device::find_lease_folder(environment);
  if (folder && !is_writable_folder(folder->path))
    return Error{Errc::io, fmt::format("{}: no lease can be written there", printable(folder->path.native()))};
  return folder;
}

/// Why no lease can be taken; empty if one can. The first device of the policy stands for all.
std::string why_no_lease(const tasks::Machine& machine, const Result<device::LeaseFolder>& folder) {
  if (!folder) return folder.error().what;
  if (machine.choice.order.empty()) return {};
  const auto file = device::LeaseFile::open(folder->path, lease_key(machine.at(machine.choice.order.front())));
  return file ? std::string{} : file.error().what;
}

void look_at_leases(const tasks::Machine& machine, const Result<device::LeaseFolder>& folder,
                    const Environment& environment, std::vector<Finding>& findings) {
  if (!folder) {
    findings.push_back({Grade::bad, "leases", folder.error().what, mend_for_leases(environment)});
    return;
  }
  findings.push_back({folder->warning.empty() ? Grade::good : Grade::note,
                      "leases",
                      folder->warning.empty() ? "in " + printable(folder->path.native()) : folder->warning,
                      {}});
  for (const std::size_t i : machine.choice.order) {
    const std::string key = lease_key(machine.at(i));
    const auto file = device::LeaseFile::open_to_look(folder->path, key);
    const auto holders =
        file ? device::holders_of(*file, folder->path, key) : Result<std::vector<device::Holder>>{file.error()};
    if (!holders) {
      findings.push_back(
          {Grade::bad, "lease", holders.error().what, fmt::format("ls -l {}", printable(folder->path.native()))});
      continue;
    }
    const auto residue = device::find_residue(machine.at(i), {});
    if (holders->empty() && residue)
      findings.push_back(
          {Grade::note,
           "lease",
           describe(machine.at(i), *residue, *file ? (*file)->read_record(0) : std::optional<device::OwnerRecord>{}),
           {}});
    else
      findings.push_back(
          {Grade::good,
           "lease",
           holders->empty() ? fmt::format("{} is free", to_text(machine.at(i))) : device::describe({{key, *holders}}),
           {}});
  }
}

}  // namespace

Ending run_doctor(const Invocation& invocation) {
  const GuardArguments& args = invocation.args().guard;
  const tasks::Machine machine = tasks::look_at_machine(wish_of(args));
  const auto folder = writable_lease_folder(invocation.environment);
  const bool hardware = std::any_of(machine.devices.begin(), machine.devices.end(), is_hardware);
  const std::string no_device = why_no_device(machine);
  const Surroundings around{.machine = machine,
                            .no_device = no_device,
                            .device_fault = !no_device.empty() && (hardware || is_explicit(args)),
                            .no_leases = why_no_lease(machine, folder)};
  std::vector<Finding> findings = look_at_limits();
  look_at_probes(machine, findings);
  look_at_devices(machine, findings);
  look_at_policy(machine, args, around, findings);
  look_at_the_chosen(machine, args, findings);
  look_at_leases(machine, folder, invocation.environment, findings);
  const std::vector<Finding> commands = judge_commands(invocation, around);
  const bool json = invocation.args().json;
  Ending ending = print(json ? to_json_lines(commands, findings) : to_text(commands, findings));
  if (ending.exit != Exit::done) return ending;
  if (around.device_fault) return {Exit::nothing_started, "the policy leaves no device: " + no_device};
  findings.insert(findings.end(), commands.begin(), commands.end());
  for (const Finding& finding : findings)
    if (finding.grade == Grade::bad) return {Exit::nothing_started, fmt::format("{}: {}", finding.what, finding.text)};
  return ending;
}

}  // namespace weir::cli
