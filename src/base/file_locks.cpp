#include "base/file_locks.hpp"

#include <algorithm>
#include <cerrno>
#include <string>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "base/text.hpp"

namespace weir {
namespace {

struct flock make_flock(ByteRange range, short type) {
  struct flock lock {};
  lock.l_type = type;
  lock.l_whence = SEEK_SET;
  lock.l_start = static_cast<off_t>(range.first);
  lock.l_len = static_cast<off_t>(range.count);
  return lock;
}

short type_of(LockKind kind) { return kind == LockKind::read ? F_RDLCK : F_WRLCK; }

Error lock_error(const char* what) { return {Errc::io, std::string{what} + ": " + errno_text(errno)}; }

}  // namespace

Result<FileDescriptor> open_lock_file(const std::filesystem::path& path) {
  FileDescriptor file{::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666)};
  if (file) return file;
  return Error{errc_from_errno(errno), fmt::format("{}: {}", printable(path.native()), errno_text(errno))};
}

Status replace_file_text(int fd, std::string_view text, const std::filesystem::path& name) {
  if (::ftruncate(fd, 0) != 0) return Error{errc_from_errno(errno), errno_text(errno)};
  return write_all(fd, text, name);
}

Result<bool> try_lock(int fd, ByteRange range, LockKind kind) {
  struct flock lock = make_flock(range, type_of(kind));
  if (::fcntl(fd, F_OFD_SETLK, &lock) == 0) return true;
  if (errno == EAGAIN || errno == EACCES) return false;
  return lock_error("lock");
}

Status unlock(int fd, ByteRange range) {
  struct flock lock = make_flock(range, F_UNLCK);
  if (::fcntl(fd, F_OFD_SETLK, &lock) == 0) return ok();
  return lock_error("unlock");
}

Result<std::optional<std::uint64_t>> find_conflicting_lock(int fd, ByteRange range, LockKind kind) {
  struct flock lock = make_flock(range, type_of(kind));
  if (::fcntl(fd, F_OFD_GETLK, &lock) != 0) return lock_error("search for a lock");
  if (lock.l_type == F_UNLCK) return std::optional<std::uint64_t>{};
  return std::optional{std::max(static_cast<std::uint64_t>(lock.l_start), range.first)};
}

}  // namespace weir
