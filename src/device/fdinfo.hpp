#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

#include "base/bytes.hpp"
#include "device/device.hpp"

namespace weir::device {

/// What the kernel says of one open DRM device: Documentation/gpu/drm-usage-stats.rst, and xe-drm-usage-stats.rst and
/// amdgpu-drm usage for their keys.
struct FdInfo {
  std::string driver;
  std::optional<PciAddress> pci;
  std::uint64_t client = 0;                            ///< descriptors that dup and fork made share it
  std::map<std::string, Bytes, std::less<>> resident;  ///< by region; drm-resident-, else drm-memory-, else drm-total-
  std::uint64_t engine_ns = 0;                         ///< the sum of drm-engine-
  std::uint64_t cycles = 0;                            ///< the sum of drm-cycles-: above zero if any engine worked
};

/// Empty if it is not the fdinfo of a DRM device. A number without a unit is bytes.
std::optional<FdInfo> parse_fdinfo(std::string_view text);

/// Memory on the card: the regions vram* and local*; where there are none, as on integrated GPUs, system and gtt.
Bytes device_memory(const FdInfo& info);

/// One process's use of one card, its clients added up.
struct ProcessUsage {
  pid_t pid = 0;
  PciAddress pci;
  Bytes memory;
  std::uint64_t engine_ns = 0;
  bool engine_used = false;  ///< an engine ran for it
};

/// All processes of `pids` (empty: all that /proc shows) whose fdinfo this user may read. A client that several processes
/// share counts for the first of them.
std::vector<ProcessUsage> read_process_usage(const std::filesystem::path& root, const std::vector<pid_t>& pids);

}  // namespace weir::device
