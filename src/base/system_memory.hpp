#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"

namespace weir {

/// Returns how much memory this process may still allocate without swapping. This is the smallest of: MemAvailable of
/// the system, and what remains below the limits of each control group (cgroup, version 1 or 2) around the process.
/// Zero if the system does not report MemAvailable. `root` is the folder that contains proc and sys; tests supply their
/// own.
Bytes available_memory(const std::filesystem::path& root = "/");

/// Returns the total memory of the system; zero if it does not report it. `root` as above.
Bytes total_memory(const std::filesystem::path& root = "/");

/// Returns the smallest memory limit of the control groups around this process; empty if none is below total_memory().
/// `root` as above.
std::optional<Bytes> cgroup_memory_limit(const std::filesystem::path& root = "/");

/// Returns the value of MemAvailable in the text of /proc/meminfo; empty if there is none.
std::optional<Bytes> parse_mem_available(std::string_view meminfo);

/// Returns the folders of the control groups that limit this process for `controller` ("memory", "cpu"), innermost
/// first, the mount point last, as paths relative to the root such as "sys/fs/cgroup/a/b". `self_cgroup` is the text of
/// /proc/self/cgroup; it may contain lines of version 2 ("0::/a/b") and of version 1 ("5:memory:/a/b").
std::vector<std::filesystem::path> cgroup_folders(std::string_view self_cgroup, std::string_view controller);

}  // namespace weir
