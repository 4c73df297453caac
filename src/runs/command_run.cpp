#include "runs/command_run.hpp"

#include <chrono>
#include <filesystem>
#include <map>
#include <utility>

#include <fmt/format.h>

#include "base/text.hpp"
#include "device/command_process.hpp"
#include "runs/worker_program.hpp"
#include "tasks/quarantine.hpp"

namespace weir::runs {
namespace {

namespace fs = std::filesystem;
constexpr auto kMaxItemTime = std::chrono::hours{24 * 7};  // longest run time of a command without a time limit

/// Returns the number of holders per device (DeviceRequest::slots): 0 (exclusive use) if there are at least as many
/// devices as commands that use GPUs at once (`gpu_jobs`), else so many that each of these commands finds a slot.
int slots_for(int gpu_jobs, std::size_t devices) {
  const int count = static_cast<int>(devices);
  if (gpu_jobs <= count) return 0;
  return (gpu_jobs + count - 1) / count;  // gpu_jobs / count, rounded up
}

/// Sets in the request how the commands share the machine's devices.
void share_devices(tasks::CommandRequest& request, const tasks::Machine& machine) {
  if (!request.guard.lease_before_start) {
    // The commands take their leases themselves. The device is chosen here, so that they all wait for the same lease.
    const device::Device& card = machine.device_at(machine.choice.ranked.front());
    request.guard.device_request.policy.request = {card.pci ? "pci:" + to_text(*card.pci) : card.uuid};
    if (request.gpu_jobs > 1) request.guard.environment.emplace_back("WEIR_SLOTS", std::to_string(request.gpu_jobs));
  } else if (request.guard.device_request.slots == 0) {
    request.guard.device_request.slots = slots_for(request.gpu_jobs, machine.choice.ranked.size());
  }
}

/// Creates the items. Errors: invalid_argument for two items that would write the same file.
Result<std::vector<jobs::Item>> make_items(const std::vector<std::string>& texts,
                                           const tasks::CommandRequest& request) {
  const bool has_variants = !request.guard.variants.front().name.empty();
  const auto made = tasks::CommandTemplate::make(request.arguments, has_variants);
  if (!made) return made.error();
  std::vector<jobs::Item> items;
  std::map<fs::path, std::string> writers;
  for (const std::string& text : texts) {
    items.push_back(tasks::make_command_item(text, request, *made));
    for (const fs::path& output : items.back().outputs) {
      const auto [at, is_new] = writers.emplace(output, text);
      if (is_new) continue;
      const std::string items_text =
          at->second == text ? fmt::format("the item '{}' is in the list twice, or", printable(text))
                             : fmt::format("the items '{}' and '{}'", printable(at->second), printable(text));
      return Error{Errc::invalid_argument,
                   fmt::format("{} would write {} twice", items_text, printable(output.native()))};
    }
  }
  return items;
}

/// Creates `count` worker devices, one for each command that runs at once. They all have the same processors.
Result<std::vector<jobs::WorkerDevice>> make_job_devices(int count) {
  std::vector<jobs::WorkerDevice> devices;
  for (int number = 1; number <= count; ++number) {
    auto device = jobs::cpu_device(fmt::format("job-{}", number), /*cpus=*/{}, /*threads=*/1);
    if (!device) return Error{Errc::io, device.error().what};
    devices.push_back(*std::move(device));
  }
  return devices;
}

/// Sets the fields that follow from the request for the commands.
jobs::RunSettings run_settings(jobs::RunSettings settings, const tasks::CommandRequest& request) {
  settings.task = tasks::kCommandKind;
  settings.task_settings = tasks::to_json(request);
  settings.unit = "commands";
  settings.worker_command = worker_arguments();
  settings.inherited_descriptors = {request.quarantine_fd};
  settings.ram_limit = 1024_GiB;  // no limit: the commands' memory does not count, and the workers need almost none
  settings.outputs = request.folder;
  // A worker sends no heartbeat while its command waits or runs, so only the longest possible time is a limit. A
  // command may wait twice: for its turn among the commands of this run, and for its device. Two minutes are for the
  // other steps.
  const tasks::GuardedCommand& guard = request.guard;
  settings.stall_timeout = guard.time_limit
                               ? std::chrono::duration<double>{*guard.time_limit + 2 * guard.device_request.max_wait} +
                                     std::chrono::minutes{2}
                               : std::chrono::duration<double>{kMaxItemTime};
  settings.stop_grace = guard.grace + device::kMaxEndTime;
  return settings;
}

}  // namespace

CommandRun::CommandRun(FileDescriptor quarantine, jobs::RunSettings settings, std::vector<jobs::Item> items)
    : quarantine_{std::move(quarantine)}, settings_{std::move(settings)}, items_{std::move(items)} {}

Result<CommandRun> CommandRun::make(CommandRunRequest request, const tasks::Machine& machine) {
  auto quarantine = tasks::Quarantine::make_file();
  if (!quarantine) return quarantine.error();
  request.request.quarantine_fd = quarantine->get();
  share_devices(request.request, machine);
  auto items = make_items(request.items, request.request);
  if (!items) return items.error();
  auto devices = make_job_devices(request.jobs);
  if (!devices) return devices.error();
  jobs::RunSettings settings = run_settings(std::move(request.settings), request.request);
  settings.devices = *std::move(devices);
  return CommandRun{*std::move(quarantine), std::move(settings), *std::move(items)};
}

Result<jobs::Totals> CommandRun::run(jobs::RunObserver& observer, RunLogs& logs) const {
  const auto nothing_to_compare = [](const jobs::Item&, const jobs::Json&) { return jobs::Json::object(); };
  jobs::Coordinator coordinator{settings_, items_, nothing_to_compare, observer, logs.events, logs.metrics};
  return coordinator.run();
}

}  // namespace weir::runs
