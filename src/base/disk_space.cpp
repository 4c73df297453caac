#include "base/disk_space.hpp"

#include <sys/statvfs.h>

#include <cerrno>

namespace weir {

std::optional<DiskSpace> disk_space(const std::filesystem::path& folder) {
  std::filesystem::path place = folder.empty() ? std::filesystem::path{"."} : folder;
  struct statvfs about {};
  while (::statvfs(place.c_str(), &about) != 0) {
    if (errno != ENOENT || place == place.parent_path()) return std::nullopt;
    place = place.parent_path().empty() ? std::filesystem::path{"."} : place.parent_path();
  }
  return DiskSpace{Bytes{about.f_bavail} * about.f_frsize, Bytes{about.f_blocks} * about.f_frsize,
                   (about.f_flag & ST_RDONLY) != 0};
}

}  // namespace weir
