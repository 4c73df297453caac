#include "cli/doctor_commands.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/file_facts.hpp"
#include "base/system_memory.hpp"
#include "base/text.hpp"
#include "cli/defaults.hpp"
#include "cli/doctor_advice.hpp"
#include "cli/engine_trial.hpp"
#include "cli/guard_arguments.hpp"
#include "cli/part.hpp"
#include "runs/worker_program.hpp"

namespace weir::cli {
namespace {

using Json = nlohmann::ordered_json;

Finding works(const std::string& command, const std::string& on, const std::string& text) {
  return {Grade::good,
          fmt::format("{}{}{}", command, on.empty() ? "" : " on the ", on),
          text,
          {},
          Json{{"command", command}, {"device", on}, {"works", true}}};
}

Finding fails(const std::string& command, const std::string& on, Grade grade, const std::string& why,
              const std::string& mend = {}) {
  return {grade, fmt::format("{}{}{}", command, on.empty() ? "" : " on the ", on),
          "does not work here: " + printable(why), mend, Json{{"command", command}, {"device", on}, {"works", false}}};
}

std::string speed_text(const EngineTrial& trial) {
  return fmt::format("{:.3g} megapixels of result per second ({}, {})", trial.megapixels_per_second, trial.network,
                     trial.precision);
}

void add_figures(const EngineTrial& trial, Json& figures) {
  figures["megapixels_per_second"] = trial.megapixels_per_second;
  figures["network"] = trial.network;
  figures["precision"] = trial.precision;
}

/// The memory that a command may use.
std::string memory_text(const Arguments& args) {
  const auto limit = memory_limit();
  return fmt::format("memory: {} in all, {}, {} free, --ram {} by default", to_text(total_memory()),
                     limit ? fmt::format("control groups allow {}", to_text(*limit)) : "no limit of control groups",
                     to_text(available_memory()), to_text(effective_ram(args)));
}

void add_memory(const Arguments& args, Json& figures) {
  const auto limit = memory_limit();
  figures["memory_total_bytes"] = total_memory().count();
  figures["memory_limit_bytes"] = limit ? Json(limit->count()) : Json();
  figures["memory_free_bytes"] = available_memory().count();
  figures["ram_bytes"] = effective_ram(args).count();
}

std::string threads_text(int threads) { return fmt::format("{} thread{}", threads, threads == 1 ? "" : "s"); }

/// Whether the trial failed for want of a network, which says nothing of the engine.
bool lacks_network(const Error& error) {
  return error.code == Errc::invalid_argument || error.code == Errc::unsupported;
}

Finding upscale_on_cpu(const Arguments& args, const Result<EngineTrial>& trial) {
  if (const std::string few = too_few_descriptors(); !trial && !few.empty())
    return fails("upscale", "CPU", Grade::bad, few, "ulimit -n 1024");
  if (!trial) {
    Finding finding = fails("upscale", "CPU", Grade::bad, fmt::format("{}; {}", trial.error().what, memory_text(args)),
                            lacks_network(trial.error())
                                ? "install weir with its folder models: 'make install'"
                                : "let it have more memory or processors; 'weir upscale' says more of a picture");
    add_memory(args, finding.figures);
    return finding;
  }
  Finding finding = works("upscale", "CPU",
                          fmt::format("{}, {}, {}; {}", speed_text(*trial), threads_text(trial->threads),
                                      trial->instruction_set, memory_text(args)));
  add_figures(*trial, finding.figures);
  finding.figures["threads"] = trial->threads;
  finding.figures["instruction_set"] = trial->instruction_set;
  add_memory(args, finding.figures);
  return finding;
}

/// As --device names it; a software device has no address.
std::string name_for_engine(const device::Device& device) {
  return device.pci ? "pci:" + to_text(*device.pci) : device.name;
}

/// The first accepted device that Vulkan shows; null if there is none.
const device::Device* vulkan_device(const tasks::Machine& machine) {
  for (const std::size_t i : machine.choice.order)
    if (machine.at(i).index.vulkan >= 0) return &machine.at(i);
  return nullptr;
}

Finding upscale_on_gpu(const Invocation& invocation, const Surroundings& around) {
  const tasks::Machine& machine = around.machine;
  if (const device::Device* device = vulkan_device(machine)) {
    const auto trial = try_engine(invocation.args(), invocation.environment, name_for_engine(*device));
    if (!trial)
      return fails("upscale", "GPU", Grade::bad, fmt::format("{}: {}", to_text(*device), trial.error().what),
                   "look at 'dmesg'; the driver is there and does not work");
    Finding finding = works("upscale", "GPU", fmt::format("{} on {}", speed_text(*trial), printable(trial->device)));
    add_figures(*trial, finding.figures);
    return finding;
  }
  if (!machine.choice.order.empty())
    return fails("upscale", "GPU", Grade::note,
                 fmt::format("Vulkan does not show {}", to_text(machine.at(machine.choice.order.front()))),
                 "install the card's Vulkan driver; in a container let it in (NVIDIA_DRIVER_CAPABILITIES=all)");
  const auto software = std::find_if(machine.devices.begin(), machine.devices.end(), [](const device::Device& device) {
    return device.kind == device::Kind::software && device.index.vulkan >= 0;
  });
  const std::string instead =
      software == machine.devices.end()
          ? std::string{}
          : fmt::format("; --device gpu would take {}, software that is slower than the CPU", software->name);
  return fails("upscale", "GPU", around.device_fault ? Grade::bad : Grade::note, around.no_device + instead);
}

/// Several pictures: each device has a worker process, which is this program again.
Finding batches(const Finding& cpu, const Finding& gpu) {
  const std::string program = runs::worker_command().front();
  if (!is_program(program))
    return fails("batches", "", Grade::bad, fmt::format("{} cannot be started as a worker", program),
                 "mount /proc, and do not remove the program while it runs");
  std::string devices;
  for (const Finding* one : {&cpu, &gpu})
    if (one->grade == Grade::good)
      devices += fmt::format("{}the {}", devices.empty() ? "" : " and ", one->figures["device"].get<std::string>());
  if (devices.empty()) return fails("batches", "", Grade::bad, "upscale works on no device");
  return works("batches", "",
               fmt::format("several pictures, with checkpoints and a worker process each for {}", devices));
}

/// Commands that need a device and its lease.
Finding on_device(const std::string& command, const std::string& does, const Surroundings& around) {
  const bool none = !around.no_device.empty();
  const std::string& why = none ? around.no_device : around.no_leases;
  if (!why.empty()) {
    const bool fault = around.device_fault || !around.no_leases.empty();
    const std::string except = command == "lease" && around.no_leases.empty() ? "; 'weir lease list' works" : "";
    return fails(command, "", fault ? Grade::bad : Grade::note, why + except);
  }
  const tasks::Machine& machine = around.machine;
  return works(command, "", fmt::format("{} {}", does, to_text(machine.at(machine.choice.order.front()))));
}

/// Without a device it watches the processes alone, unless a device is demanded.
Finding leak(const GuardArguments& args, const Surroundings& around) {
  if (around.no_device.empty() || demands_device(args))
    return on_device("leak", "measures the command's memory and that of", around);
  return works("leak", "", "measures the command's memory in RAM alone: " + around.no_device);
}

Finding train(const Arguments& args, const Result<EngineTrial>& cpu, const Finding& gpu) {
  if (!cpu && !lacks_network(cpu.error()))
    return fails("train", "", Grade::bad, "the engine does not work on the CPU: " + cpu.error().what);
  return works("train", "",
               fmt::format("on the CPU with {}{}", threads_text(effective_threads(args)),
                           gpu.grade == Grade::good ? ", and on the GPU" : "; not on a GPU"));
}

Finding audit_part() {
  if (part_program("audit").empty())
    return fails("audit", "", Grade::note, "it is a part that is not installed",
                 "install the package " + part_package("audit"));
  return works("audit", "", "reads code; needs no device");
}

}  // namespace

std::vector<Finding> judge_commands(const Invocation& invocation, const Surroundings& around) {
  const auto trial = try_engine(invocation.args(), invocation.environment, {});
  const Finding cpu = upscale_on_cpu(invocation.args(), trial);
  const Finding gpu = upscale_on_gpu(invocation, around);
  return {cpu,
          gpu,
          batches(cpu, gpu),
          on_device("run", "runs a command on", around),
          on_device("lease", "leases", around),
          leak(invocation.args().guard, around),
          train(invocation.args(), trial, gpu),
          audit_part()};
}

}  // namespace weir::cli
