#include "cli/doctor_commands.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/file_facts.hpp"
#include "base/system_memory.hpp"
#include "base/text.hpp"
#include "cli/defaults.hpp"
#include "cli/doctor_advice.hpp"
#include "cli/engine_probe.hpp"
#include "cli/guard_arguments.hpp"
#include "cli/part.hpp"
#include "runs/worker_program.hpp"

namespace weir::cli {
namespace {

using Json = nlohmann::ordered_json;

/// Makes the finding for a command that works. `on`: "CPU" or "GPU"; empty: the command is not checked for each of
/// them.
Finding make_success(const std::string& command, const std::string& on, const std::string& text) {
  return {Grade::good,
          fmt::format("{}{}{}", command, on.empty() ? "" : " on the ", on),
          text,
          {},
          Json{{"command", command}, {"device", on}, {"works", true}}};
}

/// Makes the finding for a command that does not work, with the reason `why`. `on`: see make_success().
Finding make_failure(const std::string& command, const std::string& on, Grade grade, const std::string& why,
                     const std::string& advice = {}) {
  return {grade, fmt::format("{}{}{}", command, on.empty() ? "" : " on the ", on),
          "does not work here: " + printable(why), advice,
          Json{{"command", command}, {"device", on}, {"works", false}}};
}

std::string speed_text(const EngineProbe& probe) {
  return fmt::format("{:.3g} megapixels of result per second ({}, {})", probe.megapixels_per_second, probe.network,
                     probe.precision);
}

void add_figures(const EngineProbe& probe, Json& figures) {
  figures["megapixels_per_second"] = probe.megapixels_per_second;
  figures["network"] = probe.network;
  figures["precision"] = probe.precision;
}

/// Returns a text about the memory that a command may use.
std::string memory_text(const Arguments& args) {
  const auto limit = cgroup_memory_limit();
  return fmt::format("memory: {} in all, {}, {} free, --ram {} by default", to_text(total_memory()),
                     limit ? fmt::format("control groups allow {}", to_text(*limit)) : "no limit of control groups",
                     to_text(available_memory()), to_text(effective_ram(args)));
}

void add_memory(const Arguments& args, Json& figures) {
  const auto limit = cgroup_memory_limit();
  figures["memory_total_bytes"] = total_memory().count();
  figures["memory_limit_bytes"] = limit ? Json(limit->count()) : Json();
  figures["memory_free_bytes"] = available_memory().count();
  figures["ram_bytes"] = effective_ram(args).count();
}

std::string threads_text(int threads) { return fmt::format("{} thread{}", threads, threads == 1 ? "" : "s"); }

/// Returns true if the probe failed because the network is missing or cannot be read, and not because of the engine.
bool lacks_network(const Error& error) {
  return error.code == Errc::invalid_argument || error.code == Errc::unsupported;
}

Finding check_upscale_on_cpu(const Arguments& args, const Result<EngineProbe>& probe) {
  if (const std::string descriptor_limit = describe_descriptor_limit(); !probe && !descriptor_limit.empty())
    return make_failure("upscale", "CPU", Grade::bad, descriptor_limit, "ulimit -n 1024");
  if (!probe) {
    Finding finding = make_failure(
        "upscale", "CPU", Grade::bad, fmt::format("{}; {}", probe.error().what, memory_text(args)),
        lacks_network(probe.error()) ? "install weir with its folder models: 'make install'"
                                     : "give it more memory or processors; 'weir upscale' reports more for a picture");
    add_memory(args, finding.details);
    return finding;
  }
  Finding finding = make_success("upscale", "CPU",
                                 fmt::format("{}, {}, {}; {}", speed_text(*probe), threads_text(probe->threads),
                                             probe->instruction_set, memory_text(args)));
  add_figures(*probe, finding.details);
  finding.details["threads"] = probe->threads;
  finding.details["instruction_set"] = probe->instruction_set;
  add_memory(args, finding.details);
  return finding;
}

/// Returns the name of the device for --device: the PCI address, or the name, since a software device has no address.
std::string name_for_engine(const device::Device& device) {
  return device.pci ? "pci:" + to_text(*device.pci) : device.name;
}

/// Returns the first accepted device that Vulkan shows; null if there is none.
const device::Device* vulkan_device(const tasks::Machine& machine) {
  for (const std::size_t i : machine.choice.ranked)
    if (machine.device_at(i).stack_indices.vulkan >= 0) return &machine.device_at(i);
  return nullptr;
}

Finding check_upscale_on_gpu(const Invocation& invocation, const DoctorContext& context) {
  const tasks::Machine& machine = context.machine;
  if (const device::Device* device = vulkan_device(machine)) {
    const auto probe = probe_engine(invocation.args(), invocation.environment, name_for_engine(*device));
    if (!probe)
      return make_failure("upscale", "GPU", Grade::bad, fmt::format("{}: {}", to_text(*device), probe.error().what),
                          "look at 'dmesg'; the driver is installed but does not work");
    Finding finding =
        make_success("upscale", "GPU", fmt::format("{} on {}", speed_text(*probe), printable(probe->device)));
    add_figures(*probe, finding.details);
    return finding;
  }
  if (!machine.choice.ranked.empty())
    return make_failure(
        "upscale", "GPU", Grade::note,
        fmt::format("Vulkan does not show {}", to_text(machine.device_at(machine.choice.ranked.front()))),
        "install the card's Vulkan driver; in a container, pass it through (NVIDIA_DRIVER_CAPABILITIES=all)");
  const auto software = std::find_if(machine.devices.begin(), machine.devices.end(), [](const device::Device& device) {
    return device.kind == device::DeviceKind::software && device.stack_indices.vulkan >= 0;
  });
  const std::string software_hint =
      software == machine.devices.end()
          ? std::string{}
          : fmt::format("; --device gpu would take {}, software that is slower than the CPU", software->name);
  return make_failure("upscale", "GPU", context.is_device_refusal_bad ? Grade::bad : Grade::note,
                      context.device_refusal + software_hint);
}

/// Checks runs of several pictures, which start this program again as a worker process for each device.
Finding check_batches(const Finding& cpu, const Finding& gpu) {
  const std::string program = runs::worker_arguments().front();
  if (!is_executable(program))
    return make_failure("batches", "", Grade::bad, fmt::format("{} cannot be started as a worker", program),
                        "mount /proc, and do not remove the program while it runs");
  std::string devices;
  for (const Finding* finding : {&cpu, &gpu})
    if (finding->grade == Grade::good)
      devices += fmt::format("{}the {}", devices.empty() ? "" : " and ", finding->details["device"].get<std::string>());
  if (devices.empty()) return make_failure("batches", "", Grade::bad, "upscale works on no device");
  return make_success("batches", "",
                      fmt::format("several pictures, with checkpoints and a worker process each for {}", devices));
}

/// Checks a command that needs a device and its lease.
Finding check_device_command(const std::string& command, const std::string& effect, const DoctorContext& context) {
  const bool is_refused = !context.device_refusal.empty();
  const std::string& why = is_refused ? context.device_refusal : context.lease_problem;
  if (!why.empty()) {
    const bool is_bad = context.is_device_refusal_bad || !context.lease_problem.empty();
    const std::string exception_text =
        command == "lease" && context.lease_problem.empty() ? "; 'weir lease list' works" : "";
    return make_failure(command, "", is_bad ? Grade::bad : Grade::note, why + exception_text);
  }
  const tasks::Machine& machine = context.machine;
  return make_success(command, "",
                      fmt::format("{} {}", effect, to_text(machine.device_at(machine.choice.ranked.front()))));
}

/// Checks `weir leak`. If there is no device and none is required, it works too, but measures no device memory.
Finding check_leak(const GuardArguments& args, const DoctorContext& context) {
  if (context.device_refusal.empty() || requires_device(args))
    return check_device_command("leak", "measures the command's memory and that of", context);
  return make_success("leak", "", "measures the command's memory in RAM alone: " + context.device_refusal);
}

Finding check_train(const Arguments& args, const Result<EngineProbe>& cpu, const Finding& gpu) {
  if (!cpu && !lacks_network(cpu.error()))
    return make_failure("train", "", Grade::bad, "the engine does not work on the CPU: " + cpu.error().what);
  return make_success("train", "",
                      fmt::format("on the CPU with {}{}", threads_text(effective_threads(args)),
                                  gpu.grade == Grade::good ? ", and on the GPU" : "; not on a GPU"));
}

/// Checks the command of a part. `effect`: what it does, for a user who has it.
Finding check_part(std::string_view name, const std::string& effect) {
  if (find_part_program(name).empty())
    return make_failure(std::string{name}, "", Grade::note, "it is a part that is not installed",
                        "install the package " + part_package(name));
  return make_success(std::string{name}, "", effect);
}

}  // namespace

std::vector<Finding> check_commands(const Invocation& invocation, const DoctorContext& context) {
  const auto probe = probe_engine(invocation.args(), invocation.environment, {});
  const Finding cpu = check_upscale_on_cpu(invocation.args(), probe);
  const Finding gpu = check_upscale_on_gpu(invocation, context);
  return {cpu,
          gpu,
          check_batches(cpu, gpu),
          check_device_command("run", "runs a command on", context),
          check_device_command("lease", "leases", context),
          check_leak(invocation.args().guard, context),
          check_train(invocation.args(), probe, gpu),
          check_part("film", "enlarges films, on the devices of upscale"),
          check_part("audit", "reads code; needs no device")};
}

}  // namespace weir::cli
