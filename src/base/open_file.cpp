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

Error error_of(int number) { return {errc_of(number), errno_text(number)}; }

}  // namespace

FileDescriptor open_to_read(const std::filesystem::path& path) { return open_with(path, O_RDONLY); }

FileDescriptor open_to_append(const std::filesystem::path& path) {
  return open_with(path, O_WRONLY | O_CREAT | O_APPEND);
}

FileDescriptor open_new(const std::filesystem::path& path) {
  return open_with(path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND);
}

Status append_at_once(int file, std::string_view text) {
  const ssize_t written = ::write(file, text.data(), text.size());
  if (written == static_cast<ssize_t>(text.size())) return ok();
  return error_of(written < 0 ? errno : ENOSPC);  // a part: the room ended there
}

bool put_aside_if_long(const std::filesystem::path& path, int file, std::uint64_t longest) {
  struct stat own {};
  if (::fstat(file, &own) != 0 || static_cast<std::uint64_t>(own.st_size) <= longest) return false;
  const auto taken = try_lock(file, kWholeFile, LockKind::write);
  if (!taken || !*taken) return false;  // another does it: what this process writes goes into PATH.1
  struct stat named {};
  const bool gone = ::stat(path.c_str(), &named) != 0 || named.st_ino != own.st_ino || named.st_dev != own.st_dev;
  if (gone) return true;
  auto older = path;
  older += ".1";
  return std::rename(path.c_str(), older.c_str()) == 0;
}

Status sync_file(int file) { return ::fsync(file) == 0 ? ok() : error_of(errno); }

}  // namespace weir
