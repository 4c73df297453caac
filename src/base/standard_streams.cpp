#include "base/standard_streams.hpp"

#include <algorithm>
#include <cerrno>

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include "base/atomic_file.hpp"

namespace weir {
namespace {

constexpr std::size_t kPiece = std::size_t{1} << 20;

/// True if the call is to be repeated, for a descriptor that somebody made non-blocking after it is ready again.
bool again(int error, int descriptor, short events) {
  if (error == EINTR) return true;
  if (error != EAGAIN) return false;
  pollfd wait{descriptor, events, 0};
  return poll(&wait, 1, -1) >= 0 || errno == EINTR;
}

}  // namespace

Status write_standard_output(std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = write(STDOUT_FILENO, text.data(), text.size());
    if (written >= 0)
      text.remove_prefix(static_cast<std::size_t>(written));
    else if (const int error = errno; !again(error, STDOUT_FILENO, POLLOUT))
      return Error{Errc::io, fmt::format("cannot write to standard output: {}", errno_text(error))};
  }
  return ok();
}

Result<std::vector<std::byte>> read_standard_input(Bytes limit) {
  std::vector<std::byte> all;
  for (std::size_t size = 0;;) {
    if (size == all.size()) all.resize(size + std::max(kPiece, size / 2));
    const ssize_t got = read(STDIN_FILENO, all.data() + size, all.size() - size);
    if (got < 0) {
      if (const int error = errno; !again(error, STDIN_FILENO, POLLIN))
        return Error{Errc::io, fmt::format("cannot read standard input: {}", errno_text(error))};
      continue;
    }
    size += static_cast<std::size_t>(got);
    if (Bytes{size} > limit)
      return Error{Errc::over_budget, fmt::format("standard input has more than the {} of --ram", to_text(limit))};
    if (got == 0) {
      all.resize(size);
      all.shrink_to_fit();
      return all;
    }
  }
}

}  // namespace weir
