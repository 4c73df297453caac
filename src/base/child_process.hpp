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

/// Changes that a child's environment has compared with that of this process: pairs of a variable's name and its new
/// value. An empty value removes the variable.
using EnvironmentChanges = std::vector<std::pair<std::string, std::string>>;

/// Which file descriptors from 3 on a child gets in addition to ChildOptions::inherited_descriptors.
enum class OtherDescriptors {
  /// all descriptors without O_CLOEXEC. These are the ones that the user's shell passed to this process, because weir
  /// opens its own descriptors with O_CLOEXEC
  keep_inheritable,
  close_all,  ///< none of them
};

/// How to start a child process. The command is a list of arguments, never a line for a shell.
struct ChildOptions {
  std::vector<std::string> arguments = {};  ///< the program, which is looked up on PATH, and its arguments; not empty
  EnvironmentChanges environment = {};      ///< changes to the environment of this process
  std::filesystem::path folder = {};        ///< working folder of the child; empty: that of this process
  int stdin_fd = -1;                        ///< becomes descriptor 0; -1: inherits that of this process
  int stdout_fd = -1;                       ///< becomes descriptor 1; -1: inherits that of this process
  int stderr_fd = -1;                       ///< becomes descriptor 2; -1: inherits that of this process
  std::vector<int> inherited_descriptors = {};  ///< descriptors that stay open in the child, with the same numbers
  OtherDescriptors other_descriptors = OtherDescriptors::close_all;
  /// The child gets its own process group, so that Ctrl-C on the terminal reaches only this process.
  bool own_process_group = false;
};

/// How a child process ended.
struct ChildResult {
  int status = 0;  ///< exit status, or 128 + signal if a signal ended the child
  int signal = 0;  ///< signal that ended the child; 0 if it exited
  /// Largest resident memory of a single process among the child and the descendants that it waited for, as the kernel
  /// recorded it. It is at least a few MiB, which a process inherits from this process before exec.
  Bytes peak_resident;
  bool status_known = true;  ///< false if other code in this process took the exit status; `status` is then 125
};
/// Returns "ended with status 3", "killed by signal 9" or "ended, and its status was taken by another part of this
/// process".
std::string describe(const ChildResult& result);

/// A child process. weir starts, signals and waits for processes only through this class. The kernel kills the child
/// when the thread that started it ends (PR_SET_PDEATHSIG), so start the child on a thread that lives at least as long.
/// The child starts with no blocked signals, with the default action for SIGCHLD, SIGPIPE and SIGXFSZ, and ignores the
/// other signals that this process ignores. Not thread-safe.
/// A pidfd is a file descriptor that refers to a process; on kernels without it, waiting polls every few milliseconds.
/// Source  pidfd_open(2), close_range(2), prctl(2)
class ChildProcess {
 public:
  /// Starts a program.
  /// Errors: invalid_argument (`arguments` names no program, or a program that does not exist or is not executable;
  /// start_failure_status() distinguishes a program that does not exist); io (no process can be started, or the folder
  /// cannot be entered).
  static Result<ChildProcess> start(const ChildOptions& options);
  /// Runs `work` in a forked child. The child's exit status is the value that `work` returns, or 1 if `work` throws.
  /// Signals that this process handles have their default action in the child. The child gets the same descriptors as a
  /// program would; `options.arguments` and `options.folder` are not used. Other threads may load libraries at the same
  /// time: a child that was forked while the loader's lock was held is killed and another child is forked. After three
  /// seconds the next child is used, even if it may hang for that reason. Errors: io.
  static Result<ChildProcess> fork_function(const ChildOptions& options, const std::function<int()>& work);

  ChildProcess(ChildProcess&& other) noexcept;
  ChildProcess& operator=(ChildProcess&&) = delete;
  /// Sends SIGKILL as send_signal_to_group() does and waits for at most one second. Does nothing if has_result() or
  /// after abandon(). A process that is blocked in the kernel ends only later; then nothing reads its exit status, and
  /// it stays a zombie until this process ends.
  ~ChildProcess();

  pid_t pid() const { return pid_; }
  /// Returns a descriptor that becomes readable for poll(2) when the child has ended; -1 if the kernel has no pidfd.
  int pidfd() const { return pidfd_.get(); }
  /// Returns whether wait_until() or poll() has returned the result of the child.
  bool has_result() const { return result_.has_value(); }

  /// Sends a signal to the child. Does nothing if has_result().
  void send_signal(int signal) const;
  /// Sends a signal to the child's own process group, or only to the child if it has none. Does nothing if
  /// has_result().
  void send_signal_to_group(int signal) const;

  /// Waits until the child ends or `deadline` passes. Returns the result of the child, or an empty optional if it still
  /// runs. With a deadline in the past it does not wait.
  std::optional<ChildResult> wait_until(std::chrono::steady_clock::time_point deadline);
  /// Returns the result of the child if it has ended; does not wait.
  std::optional<ChildResult> poll() { return wait_until({}); }
  /// Waits until the child ends or `deadline` passes, and returns whether the child has ended. Unlike wait_until(), it
  /// does not reap the child as wait(2) does: the process id and process group id stay reserved until wait_until() is
  /// called.
  bool wait_for_exit(std::chrono::steady_clock::time_point deadline) const;
  /// Gives up the child: the destructor then neither kills the child nor waits for it. pid() is -1 afterwards.
  void abandon();

 private:
  ChildProcess(pid_t pid, bool own_process_group);
  std::optional<ChildResult> reap();

  pid_t pid_ = -1;
  bool own_process_group_ = false;
  FileDescriptor pidfd_;
  std::optional<ChildResult> result_;
};

/// Returns the exit status for an error of ChildProcess::start(): 127 if the program does not exist, 126 if it cannot
/// be run, else 125, as env(1) and timeout(1) do.
int start_failure_status(const Error& error);

/// Resets SIGCHLD if it is ignored, so that exit statuses of children can be read. A parent that ignores SIGCHLD (some
/// daemons do) passes this on to its children, and the kernel then discards exit statuses. ChildProcess::start() calls
/// it; main calls it too, before libraries start anything.
void allow_child_statuses();

}  // namespace weir
