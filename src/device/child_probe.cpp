#include "device/child_probe.hpp"

#include <cerrno>
#include <csignal>
#include <cstdlib>

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/close_range.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/atomic_file.hpp"

namespace weir::device {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kReport = 3;  // the only descriptor beside the standard ones in the child

[[noreturn]] void be_the_child(const std::function<std::string()>& work, int report,
                               const EnvironmentChanges& changes) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  ::prctl(PR_SET_DUMPABLE, 0);  // a driver that crashes here leaves no core file
  for (const int signal : {SIGINT, SIGTERM, SIGSEGV, SIGABRT, SIGBUS, SIGFPE, SIGILL})
    std::signal(signal, SIG_DFL);  // NOLINT
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::dup2(report, kReport);
  ::syscall(SYS_close_range, kReport + 1, ~0U, 0);  // a lease must not live on in a child that hangs
  const int nowhere = ::open("/dev/null", O_RDWR);
  for (const int standard : {0, 1, 2}) ::dup2(nowhere, standard);
  for (const auto& [name, value] : changes) {
    if (value.empty())
      ::unsetenv(name.c_str());  // NOLINT(concurrency-mt-unsafe): the child has one thread
    else
      ::setenv(name.c_str(), value.c_str(), 1);  // NOLINT(concurrency-mt-unsafe)
  }
  bool done = false;
  try {
    done = static_cast<bool>(write_all(kReport, work(), "the report"));
  } catch (...) {
    done = false;
  }
  ::_exit(done ? 0 : 1);
}

int milliseconds_until(Clock::time_point deadline) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
  return left < 0 ? 0 : static_cast<int>(left);
}

/// Everything until the end of the pipe; false at the deadline. The end of the pipe is the end of the child.
bool read_until(int pipe, Clock::time_point deadline, std::string& text) {
  constexpr std::size_t kMost = 64U << 20U;
  for (;;) {
    pollfd entry{pipe, POLLIN, 0};
    const int ready = ::poll(&entry, 1, milliseconds_until(deadline));
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) return false;
    char piece[65536];
    const ssize_t got = ::read(pipe, piece, sizeof piece);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return true;
    if (text.size() < kMost) text.append(piece, static_cast<std::size_t>(got));
  }
}

/// The child's wait status; false if it does not end in time.
bool reap(pid_t child, std::chrono::milliseconds patience, int& status) {
  const auto deadline = Clock::now() + patience;
  for (;;) {
    const pid_t ended = ::waitpid(child, &status, WNOHANG);
    if (ended == child || (ended < 0 && errno != EINTR)) return ended == child;
    if (Clock::now() > deadline) return false;
    ::usleep(500);
  }
}

}  // namespace

Result<std::string> run_in_child(const std::function<std::string()>& work, std::chrono::milliseconds deadline,
                                 const EnvironmentChanges& changes) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return Error{Errc::io, "make a pipe: " + errno_text(errno)};
  FileDescriptor in{ends[0]};
  FileDescriptor out{ends[1]};
  const auto until = Clock::now() + deadline;
  const pid_t child = ::fork();
  if (child < 0) return Error{Errc::io, "start a process: " + errno_text(errno)};
  if (child == 0) be_the_child(work, out.get(), changes);
  out = FileDescriptor{};
  std::string text;
  const bool ended = read_until(in.get(), until, text);
  if (!ended) ::kill(child, SIGKILL);
  int status = 0;
  const bool reaped = reap(child, std::chrono::seconds{1}, status);
  if (!ended)
    return Error{Errc::timed_out,
                 fmt::format("does not answer within {:.1f} s{}", std::chrono::duration<double>(deadline).count(),
                             reaped ? "" : fmt::format(" and cannot be killed (process {})", child))};
  if (reaped && WIFSIGNALED(status))
    return Error{Errc::device_lost, fmt::format("crashed with signal {}", WTERMSIG(status))};
  if (reaped && WEXITSTATUS(status) != 0) return Error{Errc::device_lost, "failed without saying why"};
  return text;
}

}  // namespace weir::device
