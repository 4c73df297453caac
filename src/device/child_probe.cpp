#include "device/child_probe.hpp"

#include <cerrno>
#include <csignal>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/atomic_file.hpp"

namespace weir::device {
namespace {

using Clock = std::chrono::steady_clock;

/// Runs in the child: writes the result of `work` into the pipe. Returns the exit status.
int write_result(const std::function<std::string()>& work, int pipe) {
  block_termination_signals();
  ::prctl(PR_SET_DUMPABLE, 0);  // a driver that crashes here leaves no core file
  return write_all(pipe, work(), "the report") ? 0 : 1;
}

int milliseconds_until(Clock::time_point deadline) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
  return left < 0 ? 0 : static_cast<int>(left);
}

/// Reads until the other end of the pipe is closed, which the end of the child does. Returns false at the deadline.
/// Keeps about the first 64 MiB and discards the rest.
bool read_pipe(int pipe, Clock::time_point deadline, std::string& text) {
  constexpr std::size_t kMaxTextBytes = 64U << 20U;
  for (;;) {
    pollfd entry{pipe, POLLIN, 0};
    const int ready = ::poll(&entry, 1, milliseconds_until(deadline));
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) return false;
    char piece[65536];
    const ssize_t got = ::read(pipe, piece, sizeof piece);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return true;
    if (text.size() < kMaxTextBytes) text.append(piece, static_cast<std::size_t>(got));
  }
}

}  // namespace

Result<ChildProbe> ChildProbe::start(const std::function<std::string()>& work, const EnvironmentChanges& changes) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return Error{Errc::io, "make a pipe: " + errno_text(errno)};
  FileDescriptor read_end{ends[0]};
  const FileDescriptor write_end{ends[1]};
  const FileDescriptor nowhere{::open("/dev/null", O_RDWR | O_CLOEXEC)};
  if (!nowhere) return Error{Errc::io, "/dev/null: " + errno_text(errno)};
  auto child = ChildProcess::fork_function({.arguments = {},
                                            .environment = changes,
                                            .folder = {},
                                            .stdin_fd = nowhere.get(),
                                            .stdout_fd = nowhere.get(),
                                            .stderr_fd = nowhere.get(),
                                            .inherited_descriptors = {write_end.get()}},
                                           [&] { return write_result(work, write_end.get()); });
  if (!child) return child.error();
  return ChildProbe{*std::move(child), std::move(read_end)};
}

Result<std::string> ChildProbe::wait(std::chrono::milliseconds time_limit) {
  const bool answered = read_until(started_at_ + time_limit);
  if (!answered) child_.send_signal(SIGKILL);
  const auto end = child_.wait_until(Clock::now() + std::chrono::seconds{1});
  const pid_t pid = child_.pid();
  if (!end) child_.abandon();  // the child waits in the kernel, where SIGKILL does not end it
  if (!answered)
    return Error{Errc::timed_out,
                 fmt::format("does not answer within {:.1f} s{}", std::chrono::duration<double>(time_limit).count(),
                             end ? "" : fmt::format(" and cannot be killed (process {})", pid))};
  if (end && end->signal != 0) return Error{Errc::device_lost, fmt::format("crashed with signal {}", end->signal)};
  if (end && end->status_known && end->status != 0) return Error{Errc::device_lost, "failed without saying why"};
  return std::move(text_);
}

bool ChildProbe::read_until(Clock::time_point deadline) {
  if (!ended_at_ && read_pipe(pipe_.get(), deadline, text_)) ended_at_ = Clock::now();
  return ended_at_.has_value();
}

bool ChildProbe::poll() { return read_until({}); }

std::chrono::milliseconds ChildProbe::duration() const {
  return std::chrono::duration_cast<std::chrono::milliseconds>(ended_at_.value_or(Clock::now()) - started_at_);
}

void block_termination_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGINT, SIGQUIT, SIGTERM, SIGHUP}) sigaddset(&signals, signal);
  ::sigprocmask(SIG_BLOCK, &signals, nullptr);
}

Result<std::string> run_in_child(const std::function<std::string()>& work, std::chrono::milliseconds time_limit,
                                 const EnvironmentChanges& changes) {
  auto probe = ChildProbe::start(work, changes);
  if (!probe) return probe.error();
  return probe->wait(time_limit);
}

}  // namespace weir::device
