#include "base/standard_streams.hpp"

#include <cerrno>

#include <fmt/format.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/atomic_file.hpp"
#include "base/descriptor_io.hpp"

namespace weir {
namespace {

constexpr std::size_t kGrowBytes = std::size_t{1} << 20;         // step by which the buffer grows; also spare room
constexpr std::size_t kMaxReservedBytes = std::size_t{1} << 30;  // limit if the size of the input is unknown (a pipe)
constexpr int kPollMs = 50;  // longest time that a wait for input lasts before it checks for a stop request

Error input_too_large(Bytes limit) {
  return Error{
      Errc::over_budget,
      fmt::format("standard input has more than the {} that --ram leaves for it; raise --ram", to_text(limit))};
}

// Returns how many bytes to reserve for the input, so that nothing is copied while the vector grows: the size of a
// regular file; for a pipe the limit, at most kMaxReservedBytes. Reserved pages that are never touched use no memory.
std::size_t reserve_size(Bytes limit) {
  struct stat info {};
  const std::uint64_t pipe_bytes = limit.count() > kMaxReservedBytes ? kMaxReservedBytes : limit.count() + kGrowBytes;
  if (::fstat(STDIN_FILENO, &info) != 0 || !S_ISREG(info.st_mode)) return static_cast<std::size_t>(pipe_bytes);
  return static_cast<std::size_t>(info.st_size) + kGrowBytes;
}

}  // namespace

Status write_standard_output(std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = write(STDOUT_FILENO, text.data(), text.size());
    if (written >= 0) {
      text.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno == EAGAIN) {  // another process made it non-blocking
      pollfd wait{STDOUT_FILENO, POLLOUT, 0};
      poll(&wait, 1, -1);
    } else if (errno != EINTR) {
      return Error{Errc::io, fmt::format("cannot write to standard output: {}", errno_text(errno))};
    }
  }
  return ok();
}

void write_standard_error(std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(STDERR_FILENO, text.data(), text.size());
    if (written < 0 && errno != EINTR) return;
    if (written > 0) text.remove_prefix(static_cast<std::size_t>(written));
  }
}

bool standard_error_is_terminal() { return ::isatty(STDERR_FILENO) == 1; }

int standard_error_columns() {
  winsize size{};
  return ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

void wait_for_end_of_input(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    pollfd entry{STDIN_FILENO, POLLIN, 0};
    if (::poll(&entry, 1, kPollMs) <= 0) continue;
    char unused[4096];
    if (::read(STDIN_FILENO, unused, sizeof unused) <= 0) return;
  }
}

Result<std::vector<std::byte>> read_standard_input(Bytes limit, std::stop_token stop) {
  std::vector<std::byte> all;
  const auto reserved = reserve_size(limit);
  // True only for a regular file that is larger than the limit.
  if (Bytes{reserved} > limit + Bytes{kGrowBytes}) return input_too_large(limit);
  all.reserve(reserved);
  for (std::size_t size = 0;;) {
    if (size == all.size()) all.resize(size + kGrowBytes);
    const auto got = read_available(STDIN_FILENO, std::span{all}.subspan(size), stop);
    if (!got && got.error().code == Errc::cancelled) return Error{Errc::cancelled, "interrupted"};
    if (!got) return Error{got.error().code, fmt::format("cannot read standard input: {}", got.error().what)};
    size += *got;
    if (Bytes{size} > limit) return input_too_large(limit);
    if (*got == 0) {
      all.resize(size);
      return all;
    }
  }
}

}  // namespace weir
