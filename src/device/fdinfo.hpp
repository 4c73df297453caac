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

/// The usage of a GPU that the kernel reports for one open file descriptor of a DRM device (/dev/dri/...), in the file
/// /proc/PID/fdinfo/FD. Source: Documentation/gpu/drm-usage-stats.rst, xe-drm-usage-stats.rst and amdgpu-drm usage.
struct FdInfo {
  std::string driver;  ///< name of the kernel driver: "amdgpu"
  std::optional<PciAddress> pci;
  std::uint64_t client = 0;  ///< id of the open device; copies by dup and fork share it
  /// Bytes by memory region ("vram0", "gtt"), from the keys drm-resident-REGION, else drm-memory-REGION, else
  /// drm-total-REGION.
  std::map<std::string, Bytes, std::less<>> resident;
  std::uint64_t engine_ns = 0;  ///< sum of the keys drm-engine-NAME
  std::uint64_t cycles = 0;     ///< sum of the keys drm-cycles-NAME; above 0: an engine worked
};

/// Parses the text of an fdinfo file; returns nothing if the file is not for a DRM device. A number without a unit is
/// in bytes.
std::optional<FdInfo> parse_fdinfo(std::string_view text);

/// Returns the memory of the client on the card: the sum of the regions vram* and local*, or, if these do not exist
/// (integrated GPUs), of system* and gtt*.
Bytes device_memory(const FdInfo& info);

/// The usage of one card by one process, summed over its clients (FdInfo::client).
struct ProcessUsage {
  pid_t pid = 0;
  PciAddress pci;
  Bytes memory;
  std::uint64_t engine_ns = 0;
  bool engine_used = false;  ///< an engine (a unit of the GPU that executes work) worked for the process
};

/// Reads the usage of the processes `pids` (empty: all processes in /proc) whose fdinfo this user may read. A client
/// that several processes share counts for the first process only. `root`: the folder that contains proc. Sets
/// `*some_hidden`, if given, to whether this user may not read the open files of some process.
std::vector<ProcessUsage> read_process_usage(const std::filesystem::path& root, const std::vector<pid_t>& pids,
                                             bool* some_hidden = nullptr);

}  // namespace weir::device
