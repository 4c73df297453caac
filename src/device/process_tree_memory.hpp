#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <sys/types.h>

#include "base/bytes.hpp"

namespace weir::device {

/// Returns the sum of the resident memory of these processes. A page that several of them share counts several times.
/// `root`: the folder that contains proc.
Bytes total_resident_memory(const std::vector<pid_t>& pids, const std::filesystem::path& root = "/");

/// Returns the sorted paths of this user's files in `folder`, where shared memory (shm_open(3)) appears as files.
std::vector<std::string> shared_memory_files(const std::filesystem::path& folder = "/dev/shm");

}  // namespace weir::device
