#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

#include "device/device.hpp"
#include "device/marked_processes.hpp"

namespace weir::device {

/// Processes that were started under an earlier lease of the device and outlived it: WEIR_LEASE in their environment names
/// the device and a lease that is none of ours: neither the one of `own_nonce` nor one that this process itself inherited
/// (`inherited`, the WEIR_LEASE of its own environment), for then they are its family. Only for who holds the device alone: then every other such lease is over.
/// Processes of other users are not seen. `root` is where proc lies.
std::vector<pid_t> find_orphans(std::string_view key, std::string_view own_nonce, std::string_view inherited,
                                const std::filesystem::path& root = "/");

/// Processes that were started under this very lease.
std::vector<pid_t> find_claimants(std::string_view key, std::string_view nonce,
                                  const std::filesystem::path& root = "/");

/// Ends the orphans. Those that were there.
std::vector<EndedProcess> end_orphans(std::string_view key, std::string_view own_nonce, std::string_view inherited);

/// What gives a device back its memory when no process holds it, for a person to run as root with nobody on the device; weir
/// never does. Empty for a vendor that has no such command.
/// Source  nvidia-smi(1); "amd-smi reset"; "xpu-smi config --help".
std::string reset_command(const Device& device);

}  // namespace weir::device
