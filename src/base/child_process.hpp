#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <sys/types.h>

#include "base/atomic_file.hpp"
#include "base/bytes.hpp"
#include "base/result.hpp"

namespace weir {

/// Variables that a child gets beside ours; an empty value removes one.
using EnvironmentChanges = std::vector<std::pair<std::string, std::string>>;

/// Which descriptors from 3 on a child has beside those of ChildStart::inherited.
enum class OtherDescriptors {
  keep_inheritable,  ///< those without O_CLOEXEC: what the user's shell gave to us. All of ours are opened with it.
  close_all,         ///< none
};

/// A program to start: words, never a line for a shell.
struct ChildOptions {
  std::vector<std::string> arguments = {};      ///< the program, looked up on PATH, and its arguments; not empty
  EnvironmentChanges environment = {};          ///< changes to ours
  std::filesystem::path folder = {};            ///< its working folder; empty: ours
  int stdin_fd = -1;                            ///< becomes descriptor 0; -1: ours
  int stdout_fd = -1;                           ///< becomes descriptor 1; -1: ours
  int stderr_fd = -1;                           ///< becomes descriptor 2; -1: ours
  std::vector<int> inherited_descriptors = {};  ///< stay open in it, under their numbers
  OtherDescriptors other_descriptors = OtherDescriptors::close_all;
  bool own_process_group = false;  ///< a process group of its own: a Ctrl-C of the terminal reaches only us
};

/// How a child ended.
struct ChildResult {
  int status = 0;  ///< exit status; 128 + signal if a signal ended it
  int signal = 0;  ///< 0: it exited
  /// The most resident memory of one process, of the child and of those that it waited for, as the kernel kept it: a few MiB
  /// at least, which a process inherits from us before it becomes the program.
  Bytes peak_resident;
  bool status_known = true;  ///< false: somebody else in this process took the exit status; `status` is then 125
};
/// "ended with status 3", "killed by signal 9", "ended, and its status was taken by another part of this process".
std::string describe(const ChildResult& result);

/// A child process, with the one way in which weir starts, signals and waits for one. It is killed when the thread that
/// started it ends (PR_SET_PDEATHSIG), so start it on a thread that lives as long. It starts with no blocked signal,
/// with the default action for SIGCHLD, SIGPIPE and SIGXFSZ, and otherwise with our ignored signals. Not thread-safe.
/// Source  pidfd_open(2), close_range(2), prctl(2); where the kernel has no pidfd, waits look every few milliseconds.
class ChildProcess {
 public:
  /// Errors: invalid_argument (no such program, or not executable: start_status tells them apart); io (no process can be
  /// started, no such folder).
  static Result<ChildProcess> start(const ChildOptions& options);
  /// Runs `work` in a forked child; its result is the exit status. Signals that we handle have their default action
  /// there. Descriptors are those that a program would have; `start.words` plays no part. Other threads may load libraries
  /// meanwhile: a child that begins with a lock of the loader held is ended, and another one forked. Errors: io.
  static Result<ChildProcess> fork_function(const ChildOptions& options, const std::function<int()>& work);

  ChildProcess(ChildProcess&& other) noexcept;
  ChildProcess& operator=(ChildProcess&&) = delete;
  /// SIGKILL, and a wait of at most one second: a process that waits in the kernel cannot be ended, and is left to init.
  ~ChildProcess();

  pid_t pid() const { return pid_; }
  int pidfd() const { return pidfd_.get(); }  ///< poll(2) finds it readable once the child has ended; -1: none here
  bool has_result() const { return result_.has_value(); }

  /// Nothing is sent to a child that was waited for.
  void send_signal(int signal) const;
  void send_signal_to_group(int signal) const;  ///< to its process group, if it has one of its own; else to itself

  /// Its end, if it ends before `deadline`; a time in the past only looks.
  std::optional<ChildResult> wait_until(std::chrono::steady_clock::time_point deadline);
  std::optional<ChildResult> poll() { return wait_until({}); }
  /// Whether it ends before `deadline`, without waiting for it in the sense of wait(2): its number, and that of its group,
  /// stay its own until wait_until().
  bool wait_for_exit(std::chrono::steady_clock::time_point deadline) const;
  /// The destructor will neither kill it nor wait for it.
  void abandon();

 private:
  ChildProcess(pid_t pid, bool own_process_group);
  std::optional<ChildResult> reap();

  pid_t pid_ = -1;
  bool own_process_group_ = false;
  FileDescriptor pidfd_;
  std::optional<ChildResult> result_;
};

/// 127 if the error says that there is no such program, else 126, as shells and timeout(1) have it.
int start_failure_status(const Error& error);

/// Makes exit statuses arrive: a parent that ignores SIGCHLD (some daemons do) leaves this to its children, and the kernel
/// then forgets their exit statuses. Called by start(); main calls it too, before libraries start anything.
void allow_child_statuses();

}  // namespace weir
