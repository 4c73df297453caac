#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"

namespace weir {

/// Memory that this process may still take without swapping: MemAvailable of the system, or what is left below the
/// limit of any control group (version 1 or 2) around the process, if that is less. Zero if the system does not say.
/// `root` is where /proc and /sys lie; tests invent one.
Bytes available_memory(const std::filesystem::path& root = "/");

/// All memory of the system; zero if it does not say. `root` as above.
Bytes total_memory(const std::filesystem::path& root = "/");

/// The tightest limit on memory that the control groups around this process set; empty if they set none below
/// total_memory(). `root` as above.
std::optional<Bytes> cgroup_memory_limit(const std::filesystem::path& root = "/");

/// The "MemAvailable" of /proc/meminfo.
std::optional<Bytes> parse_mem_available(std::string_view meminfo);

/// The folders below /sys/fs/cgroup that limit this process for `controller` ("memory", "cpu"), innermost first, from
/// the text of /proc/self/cgroup: version 2 ("0::/a/b") and version 1 ("5:memory:/a/b") lines alike.
std::vector<std::filesystem::path> cgroup_folders(std::string_view self_cgroup, std::string_view controller);

}  // namespace weir
