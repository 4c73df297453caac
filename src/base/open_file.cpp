#include "base/open_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "base/file_locks.hpp"

namespace weir {
namespace {

FileDescriptor open_with(const std::filesystem::path& path, int flags) {
  return FileDescriptor{::open(path.c_str(), flags | O_CLOEXEC, 0666)};
}

Error error_from_errno(int error) { return {errc_from_errno(error), errno_text(error)}; }

}  // namespace

FileDescriptor open_to_read(const std::filesystem::path& path) { return open_with(path, O_RDONLY); }

FileDescriptor open_to_append(const std::filesystem::path& path) {
  return open_with(path, O_WRONLY | O_CREAT | O_APPEND);
}

FileDescriptor open_new(const std::filesystem::path& path) {
  return open_with(path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND);
}

Status append_in_one_write(int fd, std::string_view text) {
  const ssize_t written = ::write(fd, text.data(), text.size());
  if (written == static_cast<ssize_t>(text.size())) return ok();
  return error_from_errno(written < 0 ? errno : ENOSPC);  // a partial write: the disk is full
}

bool rotate_if_long(const std::filesystem::path& path, int fd, std::uint64_t max_bytes) {
  struct stat opened {};
  if (::fstat(fd, &opened) != 0 || static_cast<std::uint64_t>(opened.st_size) <= max_bytes) return false;
  const auto taken = try_lock(fd, kWholeFile, LockKind::write);
  if (!taken || !*taken) return false;  // another process is renaming the file; this one keeps writing to it
  struct stat named {};
  const bool is_renamed_by_other =
      ::stat(path.c_str(), &named) != 0 || named.st_ino != opened.st_ino || named.st_dev != opened.st_dev;
  if (is_renamed_by_other) return true;
  auto older = path;
  older += ".1";
  return std::rename(path.c_str(), older.c_str()) == 0;
}

Status sync_file(int fd) { return ::fsync(fd) == 0 ? ok() : error_from_errno(errno); }

}  // namespace weir
