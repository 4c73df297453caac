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

/// The variable by which what a command started is found again.
inline constexpr char kMarkVariable[] = "WEIR_MARK";

/// A program to run: words, never a line for a shell.
struct Command {
  std::vector<std::string> arguments;
  EnvironmentChanges environment;  ///< to ours; WEIR_MARK is added
  int stdin_fd = -1;               ///< descriptor for standard input; -1: ours
  int stdout_fd = -1;              ///< descriptor for standard output; -1: ours
  int stderr_fd = -1;              ///< for standard error; -1: ours
  bool own_process_group = false;  ///< its own process group: a Ctrl-C on the terminal reaches only us
  /// closed for an item of a batch; a command alone keeps what the user's shell gave to us, as make's job server does.
  OtherDescriptors other_descriptors = OtherDescriptors::keep_inheritable;
  std::vector<int> lease_descriptors =
      {};  ///< lease files: stay open, and so held, until nothing of the command is left
};

/// Everything of a command is ended within this time: SIGTERM, SIGKILL five seconds later, for it and for what it left.
inline constexpr auto kMaxEndTime = std::chrono::seconds{30};
/// From a stop to the end of wait(), beside the grace.
inline constexpr auto kMaxStopTime = kMaxEndTime + std::chrono::seconds{15};

/// How a command ended: status and peak as the kernel kept them, also of one that ended before anybody looked.
struct CommandResult : ChildResult {
  bool timed_out = false;
  bool stopped = false;                          ///< the caller's stop was asked for while it ran
  bool forced = false;                           ///< it was ended at the limit or after the grace, not by itself
  bool guardian_lost = false;                    ///< somebody killed its guardian, and it died with that
  std::vector<EndedProcess> leftover_processes;  ///< processes that it started and that outlived it
  std::chrono::duration<double> duration{};
};

/// When a command is to be ended from outside.
struct StopRules {
  std::optional<std::chrono::milliseconds>
      time_limit;  ///< of its time; a time in which we stood still (SIGSTOP) does not count
  std::stop_token stop;
  std::stop_token immediate_stop = {};  ///< as `stop`, but SIGTERM comes first: what it does must not go on
  /// Asked once a stop is requested: the signal to pass on first, 0 for none (the terminal sent it to the command, too).
  /// Empty: SIGINT.
  std::function<int()> first_signal;
  std::chrono::milliseconds grace_period = std::chrono::seconds{5};  ///< from that signal to SIGTERM
};

/// A running command with its guardian (command_guardian.hpp): whatever becomes of this process, nothing that the command
/// started outlives the lease, but for processes that cannot be ended. Only if this process and the guardian are both killed,
/// each by itself, something may be left. This process adopts what a killed guardian leaves (PR_SET_CHILD_SUBREAPER).
/// Not thread-safe.
class CommandProcess {
 public:
  /// Errors: invalid_argument (no such program: exit status 127; not executable: 126, told apart by start_status), io.
  static Result<CommandProcess> start(const Command& command);
  CommandProcess(CommandProcess&& other) noexcept = default;
  CommandProcess& operator=(CommandProcess&&) = delete;
  /// Ends what still runs.
  ~CommandProcess();

  pid_t pid() const { return pid_; }
  /// Itself and everything that it started and that lives.
  std::vector<pid_t> all_pids() const;

  /// Waits. `tick` is called at once, and about every `pause`, while it runs; it must not wait. At the limit everything
  /// gets SIGTERM, and SIGKILL five seconds later; at a stop the first signal and the grace come before that. What outlives
  /// the command is ended in the same way.
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
  std::vector<pid_t> earlier_children_;  // children of ours from before
  std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now();
};

}  // namespace weir::device
