// `weir doctor`: checks drivers, devices, policy and leases, and reports what works on this machine. The checks of the
// commands are in doctor_commands.cpp.

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
#include "device/lease_folder.hpp"
#include "device/process_identity.hpp"
#include "device/try_device.hpp"
#include "device/unleased_use.hpp"

namespace weir::cli {
namespace {

/// Returns advice for a probe that failed.
std::string advice_for(const device::ProbeReport& probe) {
  if (probe.hung) return "look at 'dmesg'; the driver hangs";
  if (probe.name == "NVML" && probe.problem.find("Driver") != std::string::npos)
    return "modprobe nvidia, or nvidia-smi";
  if (probe.name == "Vulkan" && probe.problem.find("driver") != std::string::npos)
    return "apt-get install mesa-vulkan-drivers";
  if (probe.name == "Vulkan") return "apt-get install libvulkan1";
  return {};
}

/// `is_limited`: the probe found no device, perhaps because of a limit on the address space.
Grade probe_grade(const device::ProbeReport& probe, bool is_limited) {
  if (is_limited) return Grade::note;
  if (probe.answered) return Grade::good;
  return probe.hung ? Grade::bad : Grade::note;
}

void check_probes(const tasks::Machine& machine, std::vector<Finding>& findings) {
  for (const device::ProbeReport& probe : machine.inventory.probes) {
    const std::string address_space_limit =
        probe.answered && probe.devices == 0 ? describe_address_space_limit() : std::string{};
    const std::string text = probe.answered ? fmt::format("{} devices in {} ms", probe.devices, probe.duration.count())
                                            : printable(probe.problem);
    findings.push_back({probe_grade(probe, !address_space_limit.empty()), "probe " + probe.name,
                        address_space_limit.empty() ? text : fmt::format("{}; {}", text, address_space_limit),
                        probe.answered ? "" : advice_for(probe)});
  }
}

/// Returns the memory values of the device and where they come from.
std::string measured_text(const device::Device& device) {
  const auto value_text = [](const char* name, const std::optional<memory::Reading>& reading) {
    if (!reading) return fmt::format("{}: not known", name);
    return fmt::format("{}: {} ({}, {}{})", name, to_text(reading->value), reading->source, name_of(reading->coverage),
                       reading->privilege == memory::Privilege::lacking ? ", more rights would show more" : "");
  };
  return fmt::format("{}; {}; {}; processes: {}", value_text("total", device.total), value_text("free", device.free),
                     value_text("used", device.used), device.has_process_list ? "listed" : "not listed");
}

void check_devices(const tasks::Machine& machine, std::vector<Finding>& findings) {
  for (const device::DeviceAssessment& assessment : machine.choice.assessments) {
    const device::Device& device = machine.device_at(assessment.device_index);
    findings.push_back({Grade::good, "device", fmt::format("{}: {}", to_text(device), measured_text(device)), {}});
    findings.push_back({assessment.accepted ? Grade::good : Grade::note,
                        "policy",
                        fmt::format("{}: {}{}", to_text(device),
                                    assessment.accepted ? "allowed: " : "passed over: ", assessment.reason),
                        {}});
  }
  if (!machine.devices.empty() && !device::sees_host_pids())
    findings.push_back({Grade::note, "container",
                        "NVML reports the process ids of the host, which are not those of this container",
                        "start the container with --pid=host to prove placement by NVML"});
}

bool is_hardware(const device::Device& device) { return device.kind != device::DeviceKind::software; }

/// Returns true if the user chose devices on the command line, in the environment or in weir.toml.
bool is_explicit(const GuardArguments& args) {
  return requires_device(args) || !args.deny.empty() || !args.prefer.empty();
}

/// Returns the reason why the policy (the user's rules for devices) accepts no device; empty if it accepts a device.
std::string device_refusal_text(const tasks::Machine& machine) {
  if (!machine.choice.ranked.empty()) return {};
  const bool has_gpu = std::any_of(machine.devices.begin(), machine.devices.end(), is_hardware);
  if (has_gpu) return no_device_error(machine).what;
  const std::string unanswered_drivers = device::describe_hung_probes(machine.inventory);
  return unanswered_drivers.empty() ? "no GPU was found" : unanswered_drivers;
}

/// Reports patterns of one list that match no device. The finding is bad if `is_error` is true and no pattern of the
/// list matches a device.
void check_patterns(const char* list, const std::vector<std::string>& patterns, bool is_error,
                    const tasks::Machine& machine, std::vector<Finding>& findings) {
  std::vector<std::string> unmatched;
  for (std::string_view pattern : patterns) {
    const std::string_view name = pattern.starts_with('!') ? pattern.substr(1) : pattern;
    const bool exists = std::any_of(machine.devices.begin(), machine.devices.end(),
                                    [&](const device::Device& device) { return matches(device, name); });
    if (!exists) unmatched.push_back(printable(pattern));
  }
  if (unmatched.empty()) return;
  const bool is_bad = is_error && unmatched.size() == patterns.size();
  findings.push_back({is_bad ? Grade::bad : Grade::note, "policy",
                      fmt::format("{}: no device is called '{}'", list, fmt::join(unmatched, "' or '")),
                      "'weir devices' lists the names; 'weir config' shows where the setting comes from"});
}

/// Checks the whole policy. If the policy accepts no device, the finding is bad only if
/// context.is_device_refusal_bad.
void check_policy(const tasks::Machine& machine, const GuardArguments& args, const DoctorContext& context,
                  std::vector<Finding>& findings) {
  check_patterns("--device", args.device, /*is_error=*/true, machine, findings);
  check_patterns("allow", args.allow, /*is_error=*/true, machine, findings);
  check_patterns("prefer", args.prefer, /*is_error=*/true, machine, findings);
  check_patterns("deny", args.deny, /*is_error=*/false, machine, findings);
  if (context.device_refusal.empty()) return;
  findings.push_back({context.is_device_refusal_bad ? Grade::bad : Grade::note, "policy", context.device_refusal,
                      context.is_device_refusal_bad ? advise_on_missing_device(machine, args) : ""});
}

/// Runs `work` (a function of device/try_device.hpp) on the device in a child process with these environment changes.
/// `stack`: the programming interface that `work` uses, such as "Vulkan". The finding is bad if the work fails, and, if
/// `expected` is true, also if the stack does not support the device. The first character of the child's answer is '+'
/// for a success, '?' for an unsupported device and '-' for a failure.
void run_test_work(const char* stack, const device::Device& device, const device::EnvironmentChanges& environment,
                   Result<std::string> (*work)(const device::Device&), bool expected, std::vector<Finding>& findings) {
  const auto child_answer = device::run_in_child(
      [&]() -> std::string {
        const auto result = work(device);
        return result ? '+' + *result
                      : fmt::format("{}{}", result.error().code == Errc::unsupported ? '?' : '-', result.error().what);
      },
      std::chrono::seconds{60}, environment);
  const std::string answer = child_answer ? *child_answer : '-' + child_answer.error().what;
  const Grade grade = answer.starts_with('+')               ? Grade::good
                      : answer.starts_with('-') || expected ? Grade::bad
                                                            : Grade::note;
  findings.push_back({grade, fmt::format("work with {}", stack), printable(answer.substr(1)),
                      grade == Grade::bad ? "look at 'dmesg'; the driver is installed but does not work" : ""});
}

/// Checks the mask of the best accepted device, and does a little work on the device with Vulkan and CUDA.
void check_chosen_device(const tasks::Machine& machine, const GuardArguments& args, std::vector<Finding>& findings) {
  if (machine.choice.ranked.empty()) return;
  const std::size_t chosen = machine.choice.ranked.front();
  const device::Device& device = machine.device_at(chosen);
  // A mask is a set of environment variables, such as CUDA_VISIBLE_DEVICES, that hide all other devices.
  const auto mask = device::make_mask(machine.devices, chosen, machine.masks, make_device_request(args).mask);
  if (!mask) {
    findings.push_back({Grade::bad, "mask", mask.error().what, "unset that variable, or allow a device that it names"});
    return;
  }
  std::string text;
  for (const auto& [name, value] : mask->changes) text += fmt::format("{}{}={}", text.empty() ? "" : " ", name, value);
  findings.push_back({Grade::good, "mask", text, {}});
  for (const std::string& note : mask->notes) findings.push_back({Grade::note, "mask", note, {}});
  if (device.stack_indices.vulkan >= 0) {
    // try_vulkan() selects the device by its index in the list without masks.
    const device::EnvironmentChanges unmasked{{"MESA_VK_DEVICE_SELECT", ""}, {"DRI_PRIME", ""}};
    run_test_work("Vulkan", device, unmasked, device::try_vulkan, /*expected=*/true, findings);
  }
  if (device.vendor == device::Vendor::nvidia)
    run_test_work("CUDA", device, mask->changes, device::try_cuda, /*expected=*/false, findings);
}

/// Returns the lease folder if this user can create files in it. Errors: those of find_lease_folder; io.
Result<device::LeaseFolder> writable_lease_folder(const Environment& environment) {
  auto folder = device::find_lease_folder(environment);
  if (folder && !is_writable_folder(folder->path))
    return Error{Errc::io, fmt::format("{}: no lease can be written there", printable(folder->path.native()))};
  return folder;
}

/// Returns the reason why no lease can be taken; empty if a lease can be taken. Checks only the first accepted device.
std::string lease_problem_text(const tasks::Machine& machine, const Result<device::LeaseFolder>& folder) {
  if (!folder) return folder.error().what;
  if (machine.choice.ranked.empty()) return {};
  const auto file = device::LeaseFile::open(folder->path, lease_key(machine.device_at(machine.choice.ranked.front())));
  return file ? std::string{} : file.error().what;
}

/// Reports the lease folder, and for each accepted device whether its lease is free.
void check_leases(const tasks::Machine& machine, const Result<device::LeaseFolder>& folder,
                  const Environment& environment, std::vector<Finding>& findings) {
  if (!folder) {
    findings.push_back({Grade::bad, "leases", folder.error().what, advise_on_lease_folder(environment)});
    return;
  }
  findings.push_back({folder->warning.empty() ? Grade::good : Grade::note,
                      "leases",
                      folder->warning.empty() ? "in " + printable(folder->path.native()) : folder->warning,
                      {}});
  for (const std::size_t i : machine.choice.ranked) {
    const std::string key = lease_key(machine.device_at(i));
    const auto file = device::LeaseFile::open_read_only(folder->path, key);
    const auto holders =
        file ? device::holders_of(*file, folder->path, key) : Result<std::vector<device::Holder>>{file.error()};
    if (!holders) {
      findings.push_back(
          {Grade::bad, "lease", holders.error().what, fmt::format("ls -l {}", printable(folder->path.native()))});
      continue;
    }
    const auto unleased_use = device::find_unleased_use(machine.device_at(i), {});
    if (holders->empty() && unleased_use)
      findings.push_back({Grade::note,
                          "lease",
                          describe(machine.device_at(i), *unleased_use,
                                   *file ? (*file)->read_last_record() : std::optional<device::OwnerRecord>{}),
                          {}});
    else
      findings.push_back({Grade::good,
                          "lease",
                          holders->empty() ? fmt::format("{} is free", to_text(machine.device_at(i)))
                                           : device::describe({{key, *holders}}),
                          {}});
  }
}

}  // namespace

ExitResult run_doctor(const Invocation& invocation) {
  const GuardArguments& args = invocation.args().guard;
  const tasks::Machine machine = tasks::inspect_machine(make_device_request(args));
  const auto folder = writable_lease_folder(invocation.environment);
  const bool has_hardware = std::any_of(machine.devices.begin(), machine.devices.end(), is_hardware);
  const std::string refusal = device_refusal_text(machine);
  const DoctorContext context{.machine = machine,
                              .device_refusal = refusal,
                              .is_device_refusal_bad = !refusal.empty() && (has_hardware || is_explicit(args)),
                              .lease_problem = lease_problem_text(machine, folder)};
  std::vector<Finding> findings = check_process_limits();
  check_probes(machine, findings);
  check_devices(machine, findings);
  check_policy(machine, args, context, findings);
  check_chosen_device(machine, args, findings);
  check_leases(machine, folder, invocation.environment, findings);
  const std::vector<Finding> commands = check_commands(invocation, context);
  const bool json = invocation.args().json;
  ExitResult result = print(json ? to_json_lines(commands, findings) : to_text(commands, findings));
  if (result.status != ExitStatus::done) return result;
  if (context.is_device_refusal_bad) return {ExitStatus::nothing_started, "the policy leaves no device: " + refusal};
  findings.insert(findings.end(), commands.begin(), commands.end());
  for (const Finding& finding : findings)
    if (finding.grade == Grade::bad)
      return {ExitStatus::nothing_started, fmt::format("{}: {}", finding.subject, finding.text)};
  return result;
}

}  // namespace weir::cli
