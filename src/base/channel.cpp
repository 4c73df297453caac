#include "base/channel.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <vector>

namespace weir {

Result<Channel> make_channel() {
  int ends[2] = {-1, -1};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) return Error{Errc::io, errno_text(errno)};
  return Channel{FileDescriptor{ends[0]}, FileDescriptor{ends[1]}};
}

void set_close_on_exec(int fd) { (void)::fcntl(fd, F_SETFD, FD_CLOEXEC); }

Result<bool> try_send(int channel, std::string_view bytes) {
  const ssize_t sent = ::send(channel, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  if (sent < 0) return Error{Errc::io, errno_text(errno)};
  return sent == static_cast<ssize_t>(bytes.size());
}

Status send_all(int channel, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(channel, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno != EINTR) return Error{Errc::io, errno_text(errno)};
    if (sent > 0) bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return ok();
}

std::optional<std::size_t> try_receive(int channel, std::span<char> bytes) {
  for (;;) {
    const ssize_t got = ::recv(channel, bytes.data(), bytes.size(), MSG_DONTWAIT);
    if (got > 0) return static_cast<std::size_t>(got);
    if (got == 0) return std::nullopt;
    if (errno == EAGAIN || errno == EINTR) return 0;
    // ECONNRESET is reported once, if the other end was closed before everything sent to it was read. The data that the
    // other end had sent can still be read.
    if (errno != ECONNRESET) return std::nullopt;
  }
}

bool wait_readable(std::span<const int> fds, std::chrono::milliseconds timeout) {
  std::vector<pollfd> entries;
  entries.reserve(fds.size());
  for (const int fd : fds) entries.push_back({fd, POLLIN, 0});
  return ::poll(entries.data(), entries.size(), static_cast<int>(timeout.count())) > 0;
}

}  // namespace weir
