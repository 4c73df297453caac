#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "base/atomic_file.hpp"
#include "base/child_process.hpp"
#include "base/result.hpp"
#include "jobs/device.hpp"
#include "jobs/frame.hpp"
#include "jobs/json.hpp"

namespace weir::jobs {

/// A worker, from the coordinator's side. Destroying it kills the process and waits for it. Not thread-safe; start() must be
/// called on a thread that lives as long as the run, because the worker ends when that thread does (ChildProcess).
class WorkerProcess {
 public:
  /// Starts `command` (program and its first words) with the device's arguments, its environment changed before exec, in a
  /// process group of its own, with a socket as `--channel FD`. `inherited` descriptors stay open in it.
  /// Errors: io.
  static Result<WorkerProcess> start(const std::vector<std::string>& command, const WorkerDevice& device,
                                     const std::vector<int>& inherited);

  pid_t pid() const { return child_.pid(); }
  int channel_fd() const { return channel_.get(); }

  /// Never waits. Errors: io when the worker is gone or does not read.
  Status send(const Json& message);
  /// Takes what has arrived. Empty: nothing whole yet. Errors: io (closed), corrupt, unsupported.
  Result<std::optional<Json>> receive();

  void send_signal(int signal) const { child_.send_signal_to_group(signal); }  ///< to its whole process group
  /// SIGSTOP or SIGCONT, to it and to everything below it, in whatever group or session.
  void send_signal_to_tree(int signal) const;
  /// True once the process has ended and was waited for; `status_text` then tells how.
  bool reap();
  const std::string& exit_text() const { return exit_text_; }  ///< "killed by signal 9", "ended with status 70"
  bool is_uninterruptible() const;                             ///< waits in the kernel; not even SIGKILL ends it now
  void abandon() { child_.abandon(); }                         ///< the destructor then neither kills nor waits

 private:
  WorkerProcess(ChildProcess child, FileDescriptor channel) : child_{std::move(child)}, channel_{std::move(channel)} {}

  ChildProcess child_;
  FileDescriptor channel_;
  FrameReader frames_;
  bool closed_ = false;
  std::string exit_text_;
};

}  // namespace weir::jobs
