#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <sys/types.h>

#include "base/bytes.hpp"

namespace weir::device {

/// Resident memory of these processes together (pages that they share count for each).
Bytes total_resident_memory(const std::vector<pid_t>& pids, const std::filesystem::path& root = "/");

/// Files of this user in /dev/shm, sorted.
std::vector<std::string> shared_memory_files(const std::filesystem::path& folder = "/dev/shm");

}  // namespace weir::device
