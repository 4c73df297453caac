#pragma once

#include <optional>
#include <string>
#include <vector>

#include "device/device.hpp"
#include "device/owner_record.hpp"

namespace weir::device {

/// What is in use on a device whose lease is free: memory can outlive the lock, when a process that the dead holder
/// started lives on, or when somebody works there without a lease.
struct UnleasedUse {
  Bytes used{};                       ///< on the whole device; 0 if not known
  std::vector<GpuProcess> processes;  ///< that hold memory there; empty also where they are not known
};

/// More than this on an idle device is somebody's: a display server and the driver take less.
inline constexpr Bytes kMaxIdleUse = 512_MiB;

/// Empty if the device is as good as idle. `ours` are processes that belong to the caller.
std::optional<UnleasedUse> find_unleased_use(const Device& device, const std::vector<pid_t>& own_pids);

/// "the lease of ... is free, but 5.2 GiB are in use there: pid 4242 'python train.py' (4.9 GiB). The last holder, ...,
/// died without giving it back. End it with 'kill 4242', ..." One line.
std::string describe(const Device& device, const UnleasedUse& use, const std::optional<OwnerRecord>& last_holder);

}  // namespace weir::device
