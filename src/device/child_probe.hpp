#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>

#include "base/atomic_file.hpp"
#include "base/child_process.hpp"
#include "base/result.hpp"

namespace weir::device {

using weir::EnvironmentChanges;

/// Runs a function that calls a driver, which may hang or crash, in a forked child process. The child keeps no file
/// descriptor of this process except a pipe for its text; its standard streams are /dev/null. The destructor kills the
/// child. Not thread-safe.
class ChildProbe {
 public:
  /// Starts `work` in a child. `changes`: changes of the child's environment. Errors: io.
  static Result<ChildProbe> start(const std::function<std::string()>& work, const EnvironmentChanges& changes = {});

  /// Waits for the child and returns the text that `work` returned. Kills the child if its text is not complete
  /// `time_limit` after its start. Then waits at most one second for its end, which the kernel may delay. Call it once.
  /// Errors: timed_out ("does not answer within 10 s"); device_lost if a signal or an error status ended the child.
  Result<std::string> wait(std::chrono::milliseconds time_limit);

  /// Reads what the child has written so far, without waiting. Returns true once its text is complete.
  bool poll();
  int descriptor() const { return pipe_.get(); }  ///< the pipe, on which poll(2) can wait for more text
  /// Returns the time from the start of the child to the end of its text, or until now.
  std::chrono::milliseconds duration() const;

 private:
  bool read_until(std::chrono::steady_clock::time_point deadline);
  ChildProbe(ChildProcess child, FileDescriptor pipe) : child_{std::move(child)}, pipe_{std::move(pipe)} {}
  ChildProcess child_;
  FileDescriptor pipe_;
  std::chrono::steady_clock::time_point started_at_ = std::chrono::steady_clock::now();
  std::optional<std::chrono::steady_clock::time_point> ended_at_;
  std::string text_;
};

/// Blocks SIGINT, SIGQUIT, SIGTERM and SIGHUP in the calling process. Called in a child that calls drivers: only the
/// parent handles these signals, and it ends the child.
void block_termination_signals();

/// Runs `work` in a child process, waits for it and returns the text of `work`. `time_limit`: as in ChildProbe::wait.
/// `changes`: as in ChildProbe::start. Errors: those of ChildProbe::start and ChildProbe::wait.
Result<std::string> run_in_child(const std::function<std::string()>& work, std::chrono::milliseconds time_limit,
                                 const EnvironmentChanges& changes = {});

}  // namespace weir::device
