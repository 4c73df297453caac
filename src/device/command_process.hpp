#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include <sys/types.h>

#include "base/atomic_file.hpp"
#include "base/child_process.hpp"
#include "base/result.hpp"
#include "device/marked_processes.hpp"

namespace weir::device {

/// The environment variable that marks a command and its descendants, so that they can be found.
inline constexpr char kMarkVariable[] = "WEIR_MARK";

/// A program to run. "This process" is the process that starts it.
struct Command {
  std::vector<std::string> arguments;  ///< the program and its arguments; never a shell command line
  EnvironmentChanges environment;      ///< changes to the environment of this process; WEIR_MARK is added
  int stdin_fd = -1;                   ///< file descriptor for standard input; -1: standard input of this process
  int stdout_fd = -1;                  ///< file descriptor for standard output; -1: standard output of this process
  int stderr_fd = -1;                  ///< file descriptor for standard error; -1: standard error of this process
  bool own_process_group = false;  ///< new process group, so that a Ctrl-C on the terminal reaches only this process
  /// How all other file descriptors are handled. By default they are kept, because make's job server passes some
  /// to a command that runs alone; close_all is for commands that are items of a batch.
  OtherDescriptors other_descriptors = OtherDescriptors::keep_inheritable;
  /// File descriptors of the lease files. (A lease is the use of a device, kept by a lock on an open file.) The
  /// guardian keeps them open, and so locked, until no process of the command is left (exceptions: see CommandProcess).
  std::vector<int> lease_descriptors = {};
};

/// The longest time to end a command and the processes that it left. Each gets SIGTERM, and SIGKILL five seconds later.
/// This is longer than the guardian needs: two calls of end_processes() (at most ten seconds each), and five seconds
/// between them.
inline constexpr auto kMaxEndTime = std::chrono::seconds{30};
/// The longest time from a stop to the return of wait(), without the grace period. It includes the case that the
/// guardian does not answer: this process then calls end_processes() itself (at most ten seconds).
inline constexpr auto kMaxStopTime = kMaxEndTime + std::chrono::seconds{15};

/// How a command ended. Exit status and peak memory (ChildResult) come from the kernel and not from samples, so they
/// are valid even for a command that ended before the first sample. If `guardian_lost` is set, they are not known, and
/// the status is that of a command that SIGKILL ended.
struct CommandResult : ChildResult {
  bool timed_out = false;                        ///< the command reached its time limit
  bool stopped = false;                          ///< a stop was requested while the command ran
  bool forced = false;                           ///< the command got SIGTERM, at the time limit or because of a stop
  bool guardian_lost = false;                    ///< the guardian was killed or did not answer; the command was killed
  std::vector<EndedProcess> leftover_processes;  ///< processes that the command started and that outlived it
  std::chrono::duration<double> duration{};      ///< time from the start until no process of the command was left
};

/// When and how a command is ended early.
struct StopRules {
  /// Longest run time; then the command gets SIGTERM. Time in which this process is suspended (SIGSTOP) does not
  /// count.
  std::optional<std::chrono::milliseconds> time_limit;
  std::stop_token stop;                 ///< requests a stop: `first_signal`, then SIGTERM after the grace period
  std::stop_token immediate_stop = {};  ///< requests a stop without a grace period: SIGTERM at once
  /// Returns the number of the first signal after `stop`; 0: no signal, because the terminal has sent one to the
  /// command too. Empty function: SIGINT.
  std::function<int()> first_signal;
  std::chrono::milliseconds grace_period = std::chrono::seconds{5};  ///< time from the first signal to SIGTERM
};

/// A running command with its guardian, the process that ends everything that the command leaves running
/// (command_guardian.hpp). No process that the command started outlives the leases, even if this process dies. There
/// are two exceptions: processes that the kernel cannot end, and the case that this process and the guardian are both
/// killed. If only the guardian is killed, this process adopts its processes (PR_SET_CHILD_SUBREAPER). Not thread-safe.
class CommandProcess {
 public:
  /// Starts the command and its guardian. Errors: io; invalid_argument if the program does not exist or cannot be
  /// executed (start_failure_status() returns the exit status 127 or 126 that a shell would use).
  static Result<CommandProcess> start(const Command& command);
  CommandProcess(CommandProcess&& other) noexcept = default;
  CommandProcess& operator=(CommandProcess&&) = delete;
  /// Ends the processes that still run.
  ~CommandProcess();

  pid_t pid() const { return pid_; }
  /// Returns the ids of the command and of all living processes that it started.
  std::vector<pid_t> all_pids() const;

  /// Waits for the command. Calls `tick` (may be empty) at once and then about every `tick_interval` while the command
  /// runs; `tick` must return quickly. At the time limit or a stop, ends the command as StopRules describes; SIGKILL
  /// follows five seconds after SIGTERM. Ends processes that outlive the command with SIGTERM and SIGKILL too.
  CommandResult wait(const StopRules& rules, std::chrono::milliseconds tick_interval,
                     const std::function<void()>& tick);

 private:
  CommandProcess(ChildProcess guardian, FileDescriptor channel, std::string mark, pid_t pid,
                 std::vector<pid_t> earlier_children)
      : guardian_{std::move(guardian)},
        channel_{std::move(channel)},
        mark_{std::move(mark)},
        pid_{pid},
        earlier_children_{std::move(earlier_children)} {}
  CommandResult finish_without_guardian();
  std::vector<pid_t> find_orphans() const;
  void wake_guardian() const;

  ChildProcess guardian_;
  FileDescriptor channel_;
  std::string mark_;
  pid_t pid_ = -1;
  std::vector<pid_t> earlier_children_;  // children that this process had before the command
  std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now();
};

}  // namespace weir::device
