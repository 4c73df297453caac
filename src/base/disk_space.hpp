#pragma once

#include <filesystem>
#include <optional>

#include "base/bytes.hpp"

namespace weir {

struct DiskSpace {
  Bytes free;  ///< that an ordinary user may still write
  Bytes total;
  bool read_only = false;  ///< nothing can be written there, whatever is free
};

/// Of the file system of a folder, or of the nearest folder above it that exists. Empty if the system does not say.
/// Thread-safe.
std::optional<DiskSpace> disk_space(const std::filesystem::path& folder);

}  // namespace weir
