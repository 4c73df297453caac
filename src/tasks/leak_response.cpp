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

const device::Device* find_again(const Machine& machine, const device::Device& device) {
  const auto found = std::find_if(machine.devices.begin(), machine.devices.end(),
                                  [&](const auto& each) { return lease_key(each) == lease_key(device); });
  return found == machine.devices.end() ? nullptr : &*found;
}

/// What processes hold there now that did not before.
struct Newcomers {
  Bytes memory;
  std::string who;
};

Newcomers newcomers_of(const device::Device& before, const device::Device& now) {
  std::map<pid_t, Bytes> known;
  for (const device::GpuProcess& process : before.processes)
    if (process.memory) known[process.pid] = process.memory->value;
  Newcomers all;
  for (const device::GpuProcess& process : now.processes) {
    if (!process.memory) continue;
    const Bytes more = process.memory->value - known[process.pid];
    if (more == Bytes{}) continue;
    all.memory += more;
    all.who += fmt::format("{}pid {} '{}' ({})", all.who.empty() ? "" : ", ", process.pid,
                           printable(process.name.substr(0, 60)), to_text(more));
  }
  return all;
}

void give_up(const device::Device& device, GuardedEnd& end, const Tell& tell) {
  end.untrusted = true;
  end.emergency = "failed";
  end.reset_command = device::reset_command(device);
  if (!end.reset_command.empty())
    tell.note(fmt::format("to free it, as root and with nobody on the card: {}", end.reset_command));
}

}  // namespace

void respond_to_leak(const GuardedCommand& command, const LeasedDevice& leased, GuardedEnd& end, const Tell& tell) {
  if (!end.leaks || !end.used) return;
  if (!leased.lease.is_joined()) {
    // What the command started has ended with its guardian. These have a copy of its environment.
    if (const auto others = device::find_claimants(leased.lease.claim()); !others.empty())
      tell.note(
          fmt::format("not started by the command, but under its lease: pid {}; not ended", fmt::join(others, ", ")));
  }
  const Machine machine = look_at_machine(command.wish);
  const device::Device* now = find_again(machine, *end.used);
  if (now == nullptr) {
    tell.note(fmt::format("{} is gone or does not answer; look at dmesg", end.device));
    return give_up(*end.used, end, tell);
  }
  if (now->used) end.device_after = now->used->value;
  end.leaks = end.device_after > end.device_before + command.max_leak;
  end.emergency = end.leaks ? "unknown" : "freed";
  if (!end.leaks || !now->processes_known) return;
  const Newcomers others = newcomers_of(*end.used, *now);
  if (!others.who.empty()) tell.note(fmt::format("{} is used without a lease by {}", end.device, others.who));
  const Bytes nobodys = end.device_after - end.device_before - others.memory;
  if (nobodys <= command.max_leak) {
    end.leaks = false;
    end.emergency = "others";
    return;
  }
  tell.note(fmt::format("{} are in use on {} and no process holds them", to_text(nobodys), end.device));
  give_up(*now, end, tell);
}

}  // namespace weir::tasks
