#include "base/disk_space.hpp"

#include <sys/statvfs.h>

#include <cerrno>

namespace weir {

std::optional<DiskSpace> disk_space(const std::filesystem::path& folder) {
  std::filesystem::path existing = folder.empty() ? std::filesystem::path{"."} : folder;
  struct statvfs info {};
  while (::statvfs(existing.c_str(), &info) != 0) {
    if (errno != ENOENT || existing == existing.parent_path()) return std::nullopt;
    existing = existing.parent_path().empty() ? std::filesystem::path{"."} : existing.parent_path();
  }
  return DiskSpace{Bytes{info.f_bavail} * info.f_frsize, Bytes{info.f_blocks} * info.f_frsize,
                   (info.f_flag & ST_RDONLY) != 0};
}

}  // namespace weir
