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

/// Processes that were started under an earlier lease of a device and outlived it.
struct EarlierProcesses {
  std::vector<pid_t> orphans;  ///< their leaseholder is dead
  std::vector<pid_t>
      possibly_owned;  ///< it may live: they may be its children, or copies of its environment; nobody ends them
};

/// WEIR_LEASE in their environment names the device and folder of `own`, and another lease than `own` or one of `inherited`
/// (the WEIR_LEASE of our own environment: what belongs to those may have started us). Only for who holds the device alone:
/// then every other lease of this folder is over. Leases of other folders (a container's, a test's) may be held; their
/// processes are never found. Processes of other users are not seen. `root` is where proc lies.
EarlierProcesses find_earlier_processes(const LeaseClaim& own, std::string_view inherited,
                                        const std::filesystem::path& root = "/");

/// Processes that were started under this very lease.
std::vector<pid_t> find_lease_processes(const LeaseClaim& lease, const std::filesystem::path& root = "/");

/// Ends the orphans. Those that were there.
std::vector<EndedProcess> end_orphans(const LeaseClaim& own, std::string_view inherited);

/// What gives a device back its memory when no process holds it, for a person to run as root with nobody on the device; weir
/// never does. It names this card alone. Empty for a vendor that has no such command.
/// Source  nvidia-smi(1); "amd-smi reset --help": --gpu takes an index, a PCI address or a UUID; "xpu-smi config --help": -d
/// takes an index or a PCI address
std::string reset_command(const Device& device);

}  // namespace weir::device
