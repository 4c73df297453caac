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

/// Work in a forked child that may hang or crash in a driver. The child keeps no descriptor of ours; its standard streams
/// are /dev/null. Destroying the object kills it. Not thread-safe.
class ChildProbe {
 public:
  /// Starts `work`. Errors: io.
  static Result<ChildProbe> start(const std::function<std::string()>& work, const EnvironmentChanges& changes = {});

  /// The text that `work` returned. A child that is not done `deadline` after its start is killed; one that waits in the
  /// kernel and cannot be ended is left behind, not waited for. Call it once. Errors: timed_out ("does not answer within
  /// 10 s"); device_lost with the signal or status that ended the child.
  Result<std::string> wait(std::chrono::milliseconds time_limit);

  /// Takes what the child has said so far, without waiting. True once it has said everything.
  bool poll();
  int descriptor() const { return pipe_.get(); }  ///< poll(2) finds it readable when there is something to take
  /// From the start of the child to its last word; until now, if it has not said it.
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

/// In a child that asks drivers: a Ctrl-C of the terminal is for our parent, who decides what becomes of us.
void block_termination_signals();

/// Both in one. Errors: those of both.
Result<std::string> run_in_child(const std::function<std::string()>& work, std::chrono::milliseconds time_limit,
                                 const EnvironmentChanges& changes = {});

}  // namespace weir::device
