#pragma once

#include <optional>
#include <string>
#include <vector>

#include "device/device.hpp"
#include "device/owner_record.hpp"

namespace weir::device {

/// Memory in use on a device whose lease is free, because a process of a dead holder still lives, or a process works on
/// the device without a lease.
struct UnleasedUse {
  /// Memory in use on the whole device, if a source reports it; but at least the sum of the memory of `processes`.
  Bytes used{};
  std::vector<GpuProcess> processes;  ///< processes that hold at least 16 MiB or an unknown amount there; may be empty
};

/// A device counts as idle if at most this much memory is in use: a display server and the driver use less.
inline constexpr Bytes kMaxIdleUse = 512_MiB;

/// Returns the use of the device; empty if it counts as idle. `own_pids`: processes of the caller, which are not
/// listed.
std::optional<UnleasedUse> find_unleased_use(const Device& device, const std::vector<pid_t>& own_pids);

/// Returns one line: "the lease of ... is free, but 5.2 GiB are in use there: pid 4242 'python train.py' (4.9 GiB). The
/// last holder, ..., died without giving it back. End it with 'kill 4242', ...".
std::string describe(const Device& device, const UnleasedUse& use, const std::optional<OwnerRecord>& last_holder);

}  // namespace weir::device
