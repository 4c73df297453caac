#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

#include "device/device.hpp"
#include "device/lease_nesting.hpp"
#include "device/marked_processes.hpp"

namespace weir::device {

/// Processes that were started under an earlier lease of a device and outlived that lease.
struct EarlierProcesses {
  std::vector<pid_t> orphans;  ///< processes whose lease was acquired by a process that is dead
  /// Processes whose lease was acquired by a process that may live. They may be its children, or have a copy of its
  /// environment, so weir does not end them.
  std::vector<pid_t> possibly_owned;
};

/// Finds processes that were started under earlier leases of the device of `own`. Call it only as the exclusive holder
/// with the lease `own`: every other lease of this device in this lease folder has then ended. A process counts if its
/// WEIR_LEASE has an entry with the key and folder of `own`, but with a nonce that is neither in `own` nor in
/// `inherited` (the WEIR_LEASE of this process's environment, under whose leases this process itself may run).
/// Processes of other users are not found. `root`: the folder that contains proc.
EarlierProcesses find_earlier_processes(const LeaseClaim& own, std::string_view inherited,
                                        const std::filesystem::path& root = "/");

/// Returns the processes that were started under this lease.
std::vector<pid_t> find_lease_processes(const LeaseClaim& lease, const std::filesystem::path& root = "/");

/// Ends the orphans that find_earlier_processes() finds, and returns them (end_processes()).
std::vector<EndedProcess> end_orphans(const LeaseClaim& own, std::string_view inherited);

/// Returns the shell command that resets this card, to free memory that no process holds. weir never runs it; an
/// administrator runs it as root while no process uses the device. Empty if the vendor has no such command, or the
/// device no address.
/// Source: nvidia-smi(1); "amd-smi reset --help": --gpu takes an index, a PCI address or a UUID; "xpu-smi config
/// --help": -d takes an index or a PCI address.
std::string reset_command(const Device& device);

}  // namespace weir::device
