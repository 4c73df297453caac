#pragma once

#include <filesystem>
#include <optional>

#include "base/bytes.hpp"

namespace weir {

/// Free and total space of a file system.
struct DiskSpace {
  Bytes free;              ///< space that an ordinary user may still write
  Bytes total;             ///< size of the file system
  bool read_only = false;  ///< the file system is mounted read-only
};

/// Returns the space of the file system that holds `folder`. If `folder` does not exist, the nearest existing folder
/// above it counts; an empty path is the working folder. Returns an empty optional if the system does not report the
/// space. Thread-safe.
std::optional<DiskSpace> disk_space(const std::filesystem::path& folder);

}  // namespace weir
