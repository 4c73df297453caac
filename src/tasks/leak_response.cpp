#include "tasks/leak_response.hpp"

#include <algorithm>
#include <map>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/text.hpp"
#include "device/marked_processes.hpp"
#include "device/orphans.hpp"

namespace weir::tasks {
namespace {

/// Returns the same device in a new inventory; null if it is gone.
const device::Device* find_again(const Machine& machine, const device::Device& device) {
  const auto found = std::find_if(machine.devices.begin(), machine.devices.end(),
                                  [&](const auto& each) { return lease_key(each) == lease_key(device); });
  return found == machine.devices.end() ? nullptr : &*found;
}

/// Memory on the device that processes hold now and did not hold before the command.
struct ProcessGrowth {
  Bytes memory;
  std::string process_text;  ///< the processes with their growth, for a message
};

ProcessGrowth find_memory_growth(const device::Device& before, const device::Device& now) {
  constexpr std::size_t kMaxNameBytes = 60;  // per process in the message
  std::map<pid_t, Bytes> memory_before;
  for (const device::GpuProcess& process : before.processes)
    if (process.memory) memory_before[process.pid] = process.memory->value;
  ProcessGrowth growth;
  for (const device::GpuProcess& process : now.processes) {
    if (!process.memory) continue;
    const Bytes process_growth = process.memory->value - memory_before[process.pid];
    if (process_growth == Bytes{}) continue;
    growth.memory += process_growth;
    growth.process_text += fmt::format("{}pid {} '{}' ({})", growth.process_text.empty() ? "" : ", ", process.pid,
                                       printable(process.name.substr(0, kMaxNameBytes)), to_text(process_growth));
  }
  return growth;
}

/// Records that the leaked memory cannot be freed, and reports the command to reset the device.
void mark_untrusted(const device::Device& device, GuardedResult& result, const CommandCallbacks& callbacks) {
  result.device_untrusted = true;
  result.leak_resolution = "failed";
  result.reset_command = device::reset_command(device);
  if (!result.reset_command.empty())
    callbacks.on_note(fmt::format("to free it, as root and while no process uses the card: {}", result.reset_command));
}

}  // namespace

void respond_to_leak(const GuardedCommand& command, const LeasedDevice& leased, GuardedResult& result,
                     const CommandCallbacks& callbacks) {
  if (!result.leaks || !result.initial_device) return;
  if (!leased.lease.is_joined()) {
    // The guardian (the process that ends everything that the command leaves running) has ended all processes that the
    // command started. So processes that still have this lease in WEIR_LEASE were started by another program, with a
    // copy of the environment.
    if (const auto pids = device::find_lease_processes(leased.lease.claim()); !pids.empty())
      callbacks.on_note(
          fmt::format("under the command's lease, but not started by it: pid {}; not ended", fmt::join(pids, ", ")));
  }
  const Machine machine = inspect_machine(command.device_request);
  const device::Device* now = find_again(machine, *result.initial_device);
  if (now == nullptr) {
    callbacks.on_note(fmt::format("{} is gone or does not answer; look at dmesg", result.device));
    return mark_untrusted(*result.initial_device, result, callbacks);
  }
  explain_leak(command, *now, result, callbacks);
}

void explain_leak(const GuardedCommand& command, const device::Device& now, GuardedResult& result,
                  const CommandCallbacks& callbacks) {
  if (now.used) result.device_after = now.used->value;
  result.leaks = result.device_after > result.device_before + command.max_leak;
  result.leak_resolution = result.leaks ? "unknown" : "freed";
  if (!result.leaks) return;
  const ProcessGrowth growth = find_memory_growth(*result.initial_device, now);
  if (!growth.process_text.empty())
    callbacks.on_note(fmt::format("{} is used without a lease by {}", result.device, growth.process_text));
  const Bytes unexplained = result.device_after - result.device_before - growth.memory;
  if (unexplained <= command.max_leak) {
    result.leaks = false;
    result.leak_resolution = "others";
    return;
  }
  if (!now.has_all_processes) return;  // a process that this user may not inspect may hold the memory
  callbacks.on_note(fmt::format("{} are in use on {} and no process holds them", to_text(unexplained), result.device));
  mark_untrusted(now, result, callbacks);
}

}  // namespace weir::tasks
