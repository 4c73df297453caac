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

/// The coordinator's handle of one worker process: the child process and the socket to it. The destructor kills the
/// process and waits for it. Not thread-safe; call start() on a thread that lives as long as the run, because the
/// worker ends with that thread (ChildProcess).
class WorkerProcess {
 public:
  /// Starts a worker, in a new process group and with the variables WorkerDevice::environment, which hide all other
  /// devices from it. Its arguments are `command` (program and first arguments), `--channel FD` (the worker's end of
  /// the socket) and WorkerDevice::arguments. The file descriptors `inherited` stay open in it. Errors: io.
  static Result<WorkerProcess> start(const std::vector<std::string>& command, const WorkerDevice& device,
                                     const std::vector<int>& inherited);

  pid_t pid() const { return child_.pid(); }
  int channel_fd() const { return channel_.get(); }  ///< the coordinator's socket to the worker

  /// Sends a message without waiting. Errors: io if the worker has ended or does not read; invalid_argument if the
  /// message is too long.
  Status send(const Json& message);
  /// Returns the next complete message, or nothing if none has arrived. Errors: io once the worker has closed its
  /// socket; corrupt or unsupported for an invalid message.
  Result<std::optional<Json>> receive();

  /// Sends a signal to the worker's process group.
  void send_signal(int signal) const { child_.send_signal_to_group(signal); }
  /// Sends the signal SIGSTOP or SIGCONT to the worker and all its descendants, in any process group or session.
  void send_signal_to_tree(int signal) const;
  /// Collects the exit status without waiting. Returns true once the process has ended; exit_text() then describes how.
  bool reap();
  const std::string& exit_text() const { return exit_text_; }  ///< "killed by signal 9", "ended with status 70"
  /// Returns true if the process waits in the kernel, so that SIGKILL does not end it now.
  bool is_uninterruptible() const;
  void abandon() { child_.abandon(); }  ///< makes the destructor neither kill nor wait

 private:
  WorkerProcess(ChildProcess child, FileDescriptor channel) : child_{std::move(child)}, channel_{std::move(channel)} {}

  ChildProcess child_;
  FileDescriptor channel_;
  FrameReader frames_;
  bool closed_ = false;
  std::string exit_text_;
};

}  // namespace weir::jobs
