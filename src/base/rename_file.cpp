#include "base/rename_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include <fmt/format.h>

#include "base/atomic_file.hpp"
#include "base/file_facts.hpp"
#include "base/text.hpp"

namespace weir {
namespace {

Error rename_error(const std::filesystem::path& to, int error) {
  if (error == EEXIST)
    return {Errc::exists, fmt::format("the output {} exists; give --overwrite to replace it", printable(to.native()))};
  return {errc_from_errno(error),
          fmt::format("{}: no file can be renamed to this name: {}", printable(to.native()), errno_text(error))};
}

/// Gives the file `to` the mode of the file `from`; does nothing if `from` does not exist.
void copy_mode(const std::filesystem::path& from, const std::filesystem::path& to) {
  struct stat info {};
  if (::stat(from.c_str(), &info) == 0) (void)!::chmod(to.c_str(), info.st_mode & 07777U);
}

}  // namespace

Status rename_file(const std::filesystem::path& from, const std::filesystem::path& to, bool replace) {
  if (replace) {
    copy_mode(to, from);
    if (::rename(from.c_str(), to.c_str()) != 0) return rename_error(to, errno);
    return ok();
  }
  if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) return ok();
  if (errno != EINVAL && errno != ENOSYS) return rename_error(to, errno);
  // for file systems without RENAME_NOREPLACE
  if (::link(from.c_str(), to.c_str()) != 0) return rename_error(to, errno);
  return remove_file(from);
}

}  // namespace weir
