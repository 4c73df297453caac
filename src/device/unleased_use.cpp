#include "device/unleased_use.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.hpp"
#include "device/orphans.hpp"

namespace weir::device {
namespace {

// The smallest memory of a process that is reported. A process that only lists the devices needs less on each of them.
constexpr Bytes kMinReportedMemory = 16_MiB;

std::string gpu_process_text(const GpuProcess& process) {
  return fmt::format("pid {} '{}' ({})", process.pid, printable(process.name.substr(0, 60)),
                     process.memory ? to_text(process.memory->value) : "memory not known");
}

/// Returns one sentence about the last holder of the lease.
std::string history(const std::optional<OwnerRecord>& last) {
  if (!last) return "Nobody has leased it before.";
  const std::string who = describe(*last, unix_time_s());
  if (last->released_at) return fmt::format("The last holder gave it back in order: {}.", who);
  if (liveness_of(last->process) == Liveness::alive)
    return fmt::format("The last holder lives, but without the lock: {}.", who);
  return fmt::format("The last holder died without giving it back: {}.", who);
}

/// Returns one sentence about what the user can do.
std::string advice(const Device& device, const UnleasedUse& use) {
  std::string pids;
  for (const GpuProcess& process : use.processes) pids += fmt::format(" {}", process.pid);
  if (!pids.empty()) return fmt::format("End what should not be there with 'kill{}', or wait.", pids);
  const std::string reset = reset_command(device);
  return fmt::format("No process is named here; as root 'fuser -v /dev/nvidia* /dev/dri/*' may find one{}.",
                     reset.empty() ? "" : fmt::format(", and '{}' is the last resort", reset));
}

}  // namespace

std::optional<UnleasedUse> find_unleased_use(const Device& device, const std::vector<pid_t>& own_pids) {
  UnleasedUse use;
  for (const GpuProcess& process : device.processes) {
    const bool own = std::find(own_pids.begin(), own_pids.end(), process.pid) != own_pids.end();
    const bool small = process.memory && process.memory->value < kMinReportedMemory;
    if (!own && !small) use.processes.push_back(process);
  }
  const bool measured = device.used && device.used->coverage == memory::Coverage::device;
  if (measured) use.used = device.used->value;
  Bytes listed;
  for (const GpuProcess& process : use.processes)
    if (process.memory) listed += process.memory->value;
  use.used = std::max(use.used, listed);
  if (use.used <= kMaxIdleUse) return std::nullopt;
  return use;
}

std::string describe(const Device& device, const UnleasedUse& use, const std::optional<OwnerRecord>& last_holder) {
  std::string who;
  for (const GpuProcess& process : use.processes) who += (who.empty() ? ": " : ", ") + gpu_process_text(process);
  return fmt::format("the lease of {} is free, but {} are in use there{}. {} {}", to_text(device), to_text(use.used),
                     who, history(last_holder), advice(device, use));
}

}  // namespace weir::device
