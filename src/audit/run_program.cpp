#include "audit/run_program.hpp"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>

#include <fmt/format.h>

#include "base/atomic_file.hpp"
#include "base/child_process.hpp"
#include "base/text.hpp"

namespace weir::audit {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::size_t kMaxOutput = 4U << 20U;  // bytes

struct Pipe {
  FileDescriptor read, write;
};

Result<Pipe> make_pipe() {
  int ends[2] = {-1, -1};
  if (::pipe2(ends, O_CLOEXEC) != 0) return Error{Errc::io, "cannot make a pipe: " + errno_text(errno)};
  return Pipe{FileDescriptor{ends[0]}, FileDescriptor{ends[1]}};
}

/// Writes request.input to the descriptor `input`, which it closes at the end of the text. Appends what it reads from
/// the descriptor `output` to `gathered`, up to kMaxOutput; the rest is read and discarded. Ends when the program
/// closes its output, when a call fails, or at the deadline. Returns whether the deadline ended it.
bool exchange_data(const ProgramRequest& request, FileDescriptor& input, const FileDescriptor& output,
                   Clock::time_point deadline, std::string& gathered) {
  std::string_view rest = request.input;
  if (rest.empty()) input = FileDescriptor{};
  std::array<char, 65536> buffer{};
  while (true) {
    const auto remaining_ms = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
    if (remaining_ms <= 0) return true;
    std::array<pollfd, 2> polled{pollfd{output.get(), POLLIN, 0}, pollfd{input.get(), POLLOUT, 0}};
    if (::poll(polled.data(), input ? 2 : 1, static_cast<int>(std::min<long>(remaining_ms, 1000))) < 0 &&
        errno != EINTR)
      return false;
    if (input && polled[1].revents != 0) {
      const ssize_t count = ::write(input.get(), rest.data(), rest.size());
      if (count > 0) rest.remove_prefix(static_cast<std::size_t>(count));
      if ((count < 0 && errno != EINTR && errno != EAGAIN) || rest.empty()) input = FileDescriptor{};
    }
    if (polled[0].revents != 0) {
      const ssize_t count = ::read(output.get(), buffer.data(), buffer.size());
      if (count == 0 || (count < 0 && errno != EINTR)) return false;
      if (count > 0)
        gathered.append(buffer.data(), std::min(static_cast<std::size_t>(count), kMaxOutput - gathered.size()));
    }
  }
}

/// Waits until the program ends or its time is over, then kills its process group. Does not wait if `timed_out` is
/// true; otherwise sets it to true if the time is over. The signal is sent before the program is reaped (wait() removes
/// the ended process), while its process id is still valid.
ChildResult wait_for_end(ChildProcess& child, Clock::time_point deadline, bool& timed_out) {
  if (!timed_out) timed_out = !child.wait_for_exit(deadline);
  child.send_signal_to_group(SIGKILL);
  if (const auto result = child.wait_until(Clock::now() + std::chrono::seconds{5})) return *result;
  child.abandon();  // a process that is blocked in the kernel ends only later; it is not waited for
  return {.status = 128 + SIGKILL, .signal = SIGKILL, .peak_resident = {}};
}

}  // namespace

Result<ProgramResult> run_program(const ProgramRequest& request) {
  auto in = make_pipe();
  auto out = make_pipe();
  if (!in) return in.error();
  if (!out) return out.error();
  ::fcntl(in->write.get(), F_SETFL, O_NONBLOCK);
  const auto begin = Clock::now();
  auto child = ChildProcess::start({.arguments = request.arguments,
                                    .environment = {},
                                    .folder = request.folder,
                                    .stdin_fd = in->read.get(),
                                    .stdout_fd = out->write.get(),
                                    .stderr_fd = out->write.get(),
                                    .inherited_descriptors = {},
                                    .own_process_group = true});  // so that all its child processes can be killed
  if (!child) return Error{child.error().code, "cannot start: " + child.error().what};
  in->read = FileDescriptor{};
  out->write = FileDescriptor{};
  ProgramResult result;
  result.timed_out = exchange_data(request, in->write, out->read, begin + request.time_limit, result.output);
  const ChildResult child_result = wait_for_end(*child, begin + request.time_limit, result.timed_out);
  if (!child_result.status_known)
    return Error{Errc::io, fmt::format("'{}' {}", printable(request.arguments.front()), describe(child_result))};
  result.exit_status = child_result.status;
  result.duration = Clock::now() - begin;
  return result;
}

const std::optional<std::string>& find_python() {
  static const std::optional<std::string> kProgram = []() -> std::optional<std::string> {
    for (const char* name : {"python3", "python"}) {
      const auto result =
          run_program({.arguments = {name, "-I", "-c", "import sys; sys.exit(sys.version_info[0] != 3)"},
                       .time_limit = std::chrono::seconds{20}});
      if (result && result->exit_status == 0) return name;
    }
    return std::nullopt;
  }();
  return kProgram;
}

}  // namespace weir::audit
