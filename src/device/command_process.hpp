#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include <sys/types.h>

#include "base/atomic_file.hpp"
#include "base/bytes.hpp"
#include "base/result.hpp"
#include "device/child_probe.hpp"
#include "device/marked_processes.hpp"

namespace weir::device {

/// The variable by which what a command started is found again.
inline constexpr char kMarkVariable[] = "WEIR_MARK";

/// A program to run: words, never a line for a shell.
struct Command {
  std::vector<std::string> words;
  EnvironmentChanges environment;  ///< to ours; WEIR_MARK is added
  int input = -1;                  ///< descriptor for standard input; -1: ours
  int output = -1;                 ///< descriptor for standard output; -1: ours
  int error = -1;                  ///< for standard error; -1: ours
  bool own_group = false;          ///< its own process group: a Ctrl-C on the terminal reaches only us
};

struct CommandEnd {
  int status = 0;  ///< of the program; 128 + signal if one ended it
  int signal = 0;  ///< 0: it exited
  bool timed_out = false;
  bool stopped = false;                   ///< ended because the caller's stop was asked for
  std::vector<EndedProcess> left_behind;  ///< processes that it started and that outlived it
  std::chrono::duration<double> took{};
  /// The most resident memory of one process, of the program and those that it waited for, as the kernel kept it: also of
  /// one that ended before anybody looked. A few MiB at least, which a process inherits from us before it becomes the program.
  Bytes peak;
};

/// A running command. If this process dies the command is killed (PR_SET_PDEATHSIG): so start it on a thread that lives
/// until it ended. Locks and files of ours are closed in it. What it starts is found by its mark and as a descendant of this
/// process, which adopts orphans from now on; so start no other process meanwhile.
class CommandProcess {
 public:
  /// Errors: invalid_argument (no such program: exit status 127; not executable: 126, told apart by start_status), io.
  static Result<CommandProcess> start(const Command& command);
  CommandProcess(CommandProcess&& other) noexcept;
  CommandProcess& operator=(CommandProcess&&) = delete;
  /// Ends what still runs.
  ~CommandProcess();

  pid_t pid() const { return pid_; }
  const std::string& mark() const { return mark_; }
  /// Itself and everything that it started and that lives.
  std::vector<pid_t> all_pids() const;
  void send(int signal) const;

  /// Waits. `tick` is called at once, and about every `pause`, while it runs. At the deadline, or when stop is asked for,
  /// it is ended with everything that it started, as end_processes() does; and what outlives it always is.
  CommandEnd wait(std::optional<std::chrono::milliseconds> limit, const std::stop_token& stop,
                  std::chrono::milliseconds pause, const std::function<void()>& tick);

 private:
  CommandProcess(pid_t pid, std::string mark, std::vector<pid_t> others)
      : pid_{pid}, mark_{std::move(mark)}, others_{std::move(others)} {}
  std::vector<EndedProcess> end_all();
  void reap_adopted() const;

  pid_t pid_ = -1;
  std::string mark_;
  std::vector<pid_t> others_;  // children of ours that were there before it
  std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now();
};

/// 127 if the error says that there is no such program, else 126, as shells and timeout(1) have it.
int start_status(const Error& error);

}  // namespace weir::device
