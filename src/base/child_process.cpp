#include "base/child_process.hpp"

#include <algorithm>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <system_error>
#include <thread>

#include <fcntl.h>
#include <fmt/format.h>
#include <link.h>
#include <linux/close_range.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/text.hpp"
#include "base/threads.hpp"

extern char** environ;

namespace weir {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kOwnFailureStatus = 125;  // as in timeout(1) and env(1)
// timeout(1) uses this status for its own failures; callers treat it as a failure.
constexpr int kUnknownStatus = 125;
constexpr auto kKillTimeout = std::chrono::seconds{1};  // longest wait for a child that was killed or failed to start

/// The child's report when it cannot execute the program.
struct ExecFailure {
  int error = 0;
  bool chdir_failed = false;
};

int milliseconds_until(Clock::time_point deadline) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
  return static_cast<int>(std::clamp<std::int64_t>(left, 0, 1'000'000));
}

/// Everything that the child needs to start. It is prepared before the fork, because the child must not allocate
/// memory.
struct Launch {
  Launch(const ChildOptions& child_options, bool runs_function) : options{child_options}, is_function{runs_function} {
    const auto& changes = options.environment;
    for (char** at = environ; *at != nullptr; ++at) {
      const std::string_view variable{*at};
      const std::string_view name = variable.substr(0, variable.find('='));
      if (std::none_of(changes.begin(), changes.end(), [&](const auto& change) { return change.first == name; }))
        variables.emplace_back(variable);
    }
    for (const auto& [name, value] : changes)
      if (!value.empty()) variables.push_back(fmt::format("{}={}", name, value));
    for (const std::string& argument : options.arguments) argv.push_back(const_cast<char*>(argument.c_str()));
    for (const std::string& variable : variables) envp.push_back(const_cast<char*>(variable.c_str()));
    argv.push_back(nullptr);
    envp.push_back(nullptr);
  }

  const ChildOptions& options;
  bool is_function;
  pid_t parent = ::getpid();
  std::vector<std::string> variables;
  std::vector<char*> argv, envp;
};

/// Runs in the child: marks all descriptors from 3 on as closed at exec. Linux before 5.11 has no CLOSE_RANGE_CLOEXEC
/// and before 5.9 no close_range; descriptors are then marked one by one.
void close_from_3_at_exec() {
  if (::syscall(SYS_close_range, 3U, ~0U, CLOSE_RANGE_CLOEXEC) == 0) return;
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  constexpr rlim_t kMaxDescriptors = 65536;  // limits the time where ulimit -n is very large
  const int end = static_cast<int>(std::min(limit.rlim_cur, kMaxDescriptors));
  for (int fd = 3; fd < end; ++fd) ::fcntl(fd, F_SETFD, FD_CLOEXEC);
}

/// Runs in the child of fork_function(), which never calls exec: closes the descriptors that exec would have closed. It
/// may allocate.
void close_descriptors_like_exec(const ChildOptions& options) {
  std::vector<int> open;  // listed first, since the listing itself has a descriptor open
  std::error_code problem;
  for (std::filesystem::directory_iterator at{"/proc/self/fd", problem}, end; !problem && at != end;
       at.increment(problem))
    open.push_back(static_cast<int>(std::strtol(at->path().filename().c_str(), nullptr, 10)));
  for (const int fd : open) {
    const bool is_inherited = std::find(options.inherited_descriptors.begin(), options.inherited_descriptors.end(),
                                        fd) != options.inherited_descriptors.end();
    const bool is_kept_open =
        options.other_descriptors == OtherDescriptors::keep_inheritable && (::fcntl(fd, F_GETFD) & FD_CLOEXEC) == 0;
    if (fd > 2 && !is_inherited && !is_kept_open) ::close(fd);
  }
}

/// Resets handlers of this process to the default, as exec does; ignored signals stay ignored.
void reset_handlers() {
  for (int signal = 1; signal < NSIG; ++signal) {
    struct sigaction action {};
    if (::sigaction(signal, nullptr, &action) == 0 && action.sa_handler != SIG_IGN && action.sa_handler != SIG_DFL)
      std::signal(signal, SIG_DFL);  // NOLINT(cert-err33-c)
  }
}

/// Runs in the child: asks the kernel to kill the child when its parent thread ends.
void die_with_parent(const Launch& launch) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != launch.parent) ::_exit(kUnknownStatus);  // the parent died before the call above
}

/// Runs in the child, before a program or a function. Before a program it makes only calls that are allowed between
/// fork and exec (async-signal-safe calls).
void prepare_child(const Launch& launch) {
  const ChildOptions& options = launch.options;
  if (options.own_process_group) ::setpgid(0, 0);
  sigset_t none;
  sigemptyset(&none);
  for (const int signal : {SIGCHLD, SIGPIPE, SIGXFSZ}) std::signal(signal, SIG_DFL);  // NOLINT(cert-err33-c)
  if (launch.is_function) reset_handlers();
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  if (options.stdin_fd >= 0) ::dup2(options.stdin_fd, 0);
  if (options.stdout_fd >= 0) ::dup2(options.stdout_fd, 1);
  if (options.stderr_fd >= 0) ::dup2(options.stderr_fd, 2);
  if (launch.is_function) return close_descriptors_like_exec(options);
  if (options.other_descriptors == OtherDescriptors::close_all) close_from_3_at_exec();
  for (const int fd : options.inherited_descriptors) ::fcntl(fd, F_SETFD, 0);
}

/// Runs in the child: executes the program. On failure writes an ExecFailure to the pipe; a successful exec closes the
/// pipe, so the parent then reads the end of the data.
[[noreturn]] void become_program(const Launch& launch, int failure_pipe) {
  die_with_parent(launch);
  prepare_child(launch);
  ::fcntl(failure_pipe, F_SETFD, FD_CLOEXEC);
  ExecFailure failure;
  if (!launch.options.folder.empty() && ::chdir(launch.options.folder.c_str()) != 0) {
    failure = {.error = errno, .chdir_failed = true};
  } else {
    ::execvpe(launch.argv[0], launch.argv.data(), launch.envp.data());
    failure = {.error = errno, .chdir_failed = false};
  }
  (void)!::write(failure_pipe, &failure, sizeof failure);
  ::_exit(127);  // the status is not used: start() returns the ExecFailure as an error
}

/// Runs in the child: returns whether it may load libraries. Another thread of the parent may have been loading a
/// library at the time of the fork. Then the loader's lists are inconsistent (dlopen(3) ends the process if it notices
/// this), or a required lock is held by a thread that does not exist in the child (then this function never returns).
/// fork(3) repairs only malloc, the streams and the loader's own lock.
/// Source  glibc 2.36: dl_open_worker_begin() checks r_state; fork resets neither the lock of __cxa_atexit() nor that
///         of dl_iterate_phdr().
bool may_load_libraries() {
  if (_r_debug.r_state != r_debug::RT_CONSISTENT) return false;
  // These calls take the locks, and hang if a missing thread holds one.
  std::atexit([] {});  // NOLINT(cert-err33-c): the child ends with _exit
  ::dl_iterate_phdr([](dl_phdr_info*, std::size_t, void*) { return 1; }, nullptr);
  return true;
}

/// Runs in the child. Through `parent_socket` the child reports that it may load libraries and waits for permission to
/// continue. A child that reports too late is killed before it has done any work.
[[noreturn]] void run_function(const Launch& launch, const std::function<int()>& work, int parent_socket) {
  die_with_parent(launch);
  char byte = 0;
  if (!may_load_libraries() || ::write(parent_socket, &byte, 1) != 1 || ::read(parent_socket, &byte, 1) != 1)
    ::_exit(1);
  prepare_child(launch);
  for (const auto& [name, value] : launch.options.environment) {
    if (value.empty())
      ::unsetenv(name.c_str());  // NOLINT(concurrency-mt-unsafe): the child has one thread
    else
      ::setenv(name.c_str(), value.c_str(), 1);  // NOLINT(concurrency-mt-unsafe)
  }
  int status = 1;
  try {
    status = work();
  } catch (...) {
    status = 1;  // an exception must not unwind into the parent's code
  }
  ::_exit(status);
}

/// Calls fork(2). All signals are blocked in the child until prepare_child(), so that no handler of this process runs
/// there.
pid_t fork_without_signals() {
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  ::pthread_sigmask(SIG_BLOCK, &all, &before);
  const pid_t pid = ::fork();
  const int problem = errno;
  if (pid != 0) ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  errno = problem;
  return pid;
}

enum class ChildReadiness { ready, ended, no_answer };

/// Waits up to `patience` for the child's report on its socket.
ChildReadiness read_readiness(int child_socket, std::chrono::milliseconds patience) {
  const auto deadline = Clock::now() + patience;
  for (;;) {  // ends at the deadline
    pollfd entry{child_socket, POLLIN, 0};
    const int ready = ::poll(&entry, 1, milliseconds_until(deadline));
    if (ready < 0 && errno == EINTR) continue;
    char byte = 0;
    if (ready <= 0) return ChildReadiness::no_answer;
    return ::read(child_socket, &byte, 1) == 1 ? ChildReadiness::ready : ChildReadiness::ended;
  }
}

/// Returns the child's failure to start; empty once it executes the program.
std::optional<ExecFailure> read_failure(int pipe) {
  ExecFailure failure;
  ssize_t got = 0;
  do got = ::read(pipe, &failure, sizeof failure);
  while (got < 0 && errno == EINTR);
  if (got != sizeof failure) return std::nullopt;
  return failure;
}

Error start_error(const ExecFailure& failure, const ChildOptions& options) {
  if (failure.chdir_failed)
    return {Errc::io, fmt::format("{}: {}", printable(options.folder.native()), errno_text(failure.error))};
  const std::string name = printable(options.arguments.front().substr(0, PATH_MAX));
  return {Errc::invalid_argument, fmt::format("{}: cannot be run: {}", name, errno_text(failure.error))};
}

}  // namespace

std::string describe(const ChildResult& result) {
  if (!result.status_known) return "ended, and its status was taken by another part of this process";
  if (result.signal != 0) return fmt::format("killed by signal {}", result.signal);
  return fmt::format("ended with status {}", result.status);
}

int start_failure_status(const Error& error) {
  if (error.code != Errc::invalid_argument) return kOwnFailureStatus;
  return error.what.find(std::strerror(ENOENT)) != std::string::npos ? 127 : 126;
}

void allow_child_statuses() {
  struct sigaction action {};
  if (::sigaction(SIGCHLD, nullptr, &action) != 0) return;
  const bool ignored = (action.sa_flags & SA_SIGINFO) == 0 && action.sa_handler == SIG_IGN;
  if (!ignored && (action.sa_flags & SA_NOCLDWAIT) == 0) return;
  if (ignored) action.sa_handler = SIG_DFL;
  action.sa_flags &= ~SA_NOCLDWAIT;
  ::sigaction(SIGCHLD, &action, nullptr);
}

Result<ChildProcess> ChildProcess::start(const ChildOptions& options) {
  if (options.arguments.empty() || options.arguments.front().empty())
    return Error{Errc::invalid_argument, "no command is given; write it after --"};
  allow_child_statuses();
  const Launch launch{options, /*runs_function=*/false};
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return Error{Errc::io, "make a pipe: " + errno_text(errno)};
  const FileDescriptor read_end{ends[0]};
  FileDescriptor write_end{ends[1]};
  const pid_t child = ::fork();
  if (child < 0) return process_start_error(errno);
  if (child == 0) become_program(launch, write_end.get());
  if (options.own_process_group) ::setpgid(child, child);  // both processes call it, because either may run first
  write_end = FileDescriptor{};
  ChildProcess process{child, options.own_process_group};
  if (const auto failure = read_failure(read_end.get())) {
    process.wait_until(Clock::now() + kKillTimeout);
    return start_error(*failure, options);
  }
  return process;
}

Result<ChildProcess> ChildProcess::fork_function(const ChildOptions& options, const std::function<int()>& work) {
  allow_child_statuses();
  const Launch launch{options, /*runs_function=*/true};
  const auto give_up_time = Clock::now() + std::chrono::seconds{3};
  // Time that a child gets to report. It is doubled each time, because on a busy machine children start late.
  std::chrono::milliseconds patience{100};
  for (;;) {  // ends soon after `give_up_time`
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
      return Error{Errc::io, "make a socket: " + errno_text(errno)};
    const FileDescriptor parent_end{ends[0]};
    FileDescriptor child_end{ends[1]};
    const pid_t pid = fork_without_signals();
    if (pid < 0) return process_start_error(errno);
    if (pid == 0) run_function(launch, work, child_end.get());
    child_end = FileDescriptor{};
    ChildProcess child{pid, options.own_process_group};
    const ChildReadiness readiness = read_readiness(parent_end.get(), patience);
    if (readiness == ChildReadiness::ready || Clock::now() > give_up_time) {
      (void)::send(parent_end.get(), "", 1, MSG_NOSIGNAL);  // lets the child continue
      return child;
    }
    child.send_signal(SIGKILL);
    if (readiness == ChildReadiness::no_answer) patience *= 2;
    std::this_thread::sleep_for(std::chrono::milliseconds{1});
  }
}

ChildProcess::ChildProcess(pid_t pid, bool own_process_group)
    : pid_{pid}, own_process_group_{own_process_group}, pidfd_{static_cast<int>(::syscall(SYS_pidfd_open, pid, 0))} {}

ChildProcess::ChildProcess(ChildProcess&& other) noexcept
    : pid_{std::exchange(other.pid_, -1)},
      own_process_group_{other.own_process_group_},
      pidfd_{std::move(other.pidfd_)},
      result_{other.result_} {}

ChildProcess::~ChildProcess() {
  if (pid_ < 0 || result_) return;
  send_signal_to_group(SIGKILL);
  wait_until(Clock::now() + kKillTimeout);
}

void ChildProcess::abandon() {
  pid_ = -1;
  pidfd_ = FileDescriptor{};
}

void ChildProcess::send_signal(int signal) const {
  if (pid_ < 0 || result_) return;
  if (!pidfd_ || ::syscall(SYS_pidfd_send_signal, pidfd_.get(), signal, nullptr, 0) != 0) ::kill(pid_, signal);
}

void ChildProcess::send_signal_to_group(int signal) const {
  if (!own_process_group_) return send_signal(signal);
  if (pid_ > 0 && !result_) ::kill(-pid_, signal);
}

std::optional<ChildResult> ChildProcess::reap() {
  int status = 0;
  rusage use{};
  const pid_t ended = ::wait4(pid_, &status, WNOHANG, &use);
  if (ended == 0 || (ended < 0 && errno == EINTR)) return std::nullopt;
  ChildResult result{.status = kUnknownStatus, .peak_resident = {}};
  result.status_known = ended == pid_;
  if (result.status_known) {
    result.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    result.status = result.signal != 0 ? 128 + result.signal : WEXITSTATUS(status);
    result.peak_resident =
        Bytes{static_cast<std::uint64_t>(std::max(use.ru_maxrss, 0L))} * 1024;  // getrusage(2): in KiB
  }
  return result_ = result;
}

bool ChildProcess::wait_for_exit(Clock::time_point deadline) const {
  auto pause = std::chrono::milliseconds{1};
  for (;;) {  // ends at the deadline
    siginfo_t info{};
    const int wait_error = ::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT);
    if (result_ || pid_ < 0 || (wait_error != 0 && errno != EINTR) || info.si_pid == pid_) return true;
    if (Clock::now() >= deadline) return false;
    if (pidfd_) {
      pollfd entry{pidfd_.get(), POLLIN, 0};
      ::poll(&entry, 1, milliseconds_until(deadline));
    } else {
      std::this_thread::sleep_for(std::min<Clock::duration>(pause, deadline - Clock::now()));
      pause = std::min(pause * 2, std::chrono::milliseconds{10});
    }
  }
}

std::optional<ChildResult> ChildProcess::wait_until(Clock::time_point deadline) {
  if (result_ || pid_ < 0) return result_;
  if (auto result = reap()) return result;
  return wait_for_exit(deadline) ? reap() : std::nullopt;
}

}  // namespace weir
