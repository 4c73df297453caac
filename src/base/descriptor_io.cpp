#include "base/descriptor_io.hpp"

#include <cerrno>
#include <climits>

#include <algorithm>

#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/atomic_file.hpp"

namespace weir {
namespace {

constexpr int kWaitMs = 50;  // longest time that a wait lasts before it checks for a stop request

Error errno_error() { return Error{errc_from_errno(errno), errno_text(errno)}; }

/// Waits until `fd` is ready for `events` or was closed at the other end. Errors: cancelled.
Status wait_for(int fd, short events, const std::stop_token& stop) {
  for (;;) {
    if (stop.stop_requested()) return Error{Errc::cancelled, "stopped"};
    pollfd entry{fd, events, 0};
    if (::poll(&entry, 1, kWaitMs) > 0)
      return ok();  // below 0: a signal interrupted it, and read() could wait for ever
  }
}

}  // namespace

Result<std::size_t> read_available(int fd, std::span<std::byte> bytes, const std::stop_token& stop) {
  for (;;) {
    if (auto ready = wait_for(fd, POLLIN, stop); !ready) return ready.error();
    const ssize_t got = ::read(fd, bytes.data(), bytes.size());
    if (got >= 0) return static_cast<std::size_t>(got);
    if (errno != EINTR && errno != EAGAIN) return errno_error();
  }
}

Status write_available(int fd, std::span<const std::byte> bytes, const std::stop_token& stop) {
  // A pipe that is ready takes PIPE_BUF bytes at once; a write of more could wait for ever for its reader.
  const std::size_t piece = is_regular_file(fd) ? bytes.size() : PIPE_BUF;
  while (!bytes.empty()) {
    if (auto ready = wait_for(fd, POLLOUT, stop); !ready) return ready;
    const ssize_t written = ::write(fd, bytes.data(), std::min(piece, bytes.size()));
    if (written >= 0)
      bytes = bytes.subspan(static_cast<std::size_t>(written));
    else if (errno != EINTR && errno != EAGAIN)
      return errno_error();
  }
  return ok();
}

bool is_regular_file(int fd) {
  struct stat info {};
  return ::fstat(fd, &info) == 0 && S_ISREG(info.st_mode);
}

Result<std::uint64_t> size_of_file(int fd) {
  struct stat info {};
  if (::fstat(fd, &info) != 0) return errno_error();
  return static_cast<std::uint64_t>(info.st_size);
}

Status set_position(int fd, std::uint64_t position) {
  if (::lseek(fd, static_cast<off_t>(position), SEEK_SET) < 0) return errno_error();
  return ok();
}

}  // namespace weir
