#include "device/dirty_lease.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.hpp"
#include "device/orphans.hpp"

namespace weir::device {
namespace {

// As in the proof: less is what listing the devices leaves behind.
constexpr Bytes kListing = 16_MiB;

std::string to_words(const GpuProcess& process) {
  return fmt::format("pid {} '{}' ({})", process.pid, printable(process.name.substr(0, 60)),
                     process.memory ? to_text(process.memory->value) : "memory not known");
}

std::string history(const std::optional<OwnerRecord>& last) {
  if (!last) return "Nobody has leased it before.";
  const std::string who = describe(*last, seconds_since_1970());
  if (last->released) return fmt::format("The last holder gave it back in order: {}.", who);
  if (liveness_of(last->process) == Liveness::alive)
    return fmt::format("The last holder lives, but without the lock: {}.", who);
  return fmt::format("The last holder died without giving it back: {}.", who);
}

std::string advice(const Device& device, const Residue& residue) {
  std::string pids;
  for (const GpuProcess& process : residue.processes) pids += fmt::format(" {}", process.pid);
  if (!pids.empty()) return fmt::format("End what should not be there with 'kill{}', or wait.", pids);
  const std::string reset = reset_command(device);
  return fmt::format("No process is named here; as root 'fuser -v /dev/nvidia* /dev/dri/*' may find one{}.",
                     reset.empty() ? "" : fmt::format(", and '{}' is the last resort", reset));
}

}  // namespace

std::optional<Residue> find_residue(const Device& device, const std::vector<pid_t>& ours) {
  Residue residue;
  for (const GpuProcess& process : device.processes) {
    const bool own = std::find(ours.begin(), ours.end(), process.pid) != ours.end();
    const bool small = process.memory && process.memory->value < kListing;
    if (!own && !small) residue.processes.push_back(process);
  }
  const bool measured = device.used && device.used->scope == memory::Scope::device;
  if (measured) residue.used = device.used->value;
  Bytes known;
  for (const GpuProcess& process : residue.processes)
    if (process.memory) known += process.memory->value;
  residue.used = std::max(residue.used, known);
  if (residue.used <= kIdleUse && known <= kIdleUse) return std::nullopt;
  return residue;
}

std::string describe(const Device& device, const Residue& residue, const std::optional<OwnerRecord>& last_holder) {
  std::string who;
  for (const GpuProcess& process : residue.processes) who += (who.empty() ? ": " : ", ") + to_words(process);
  return fmt::format("the lease of {} is free, but {} are in use there{}. {} {}", to_text(device),
                     to_text(residue.used), who, history(last_holder), advice(device, residue));
}

}  // namespace weir::device
