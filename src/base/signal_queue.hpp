#pragma once

#include <csignal>

#include "base/atomic_file.hpp"
#include "base/result.hpp"

namespace weir {

/// SIGINT, SIGTERM, SIGHUP and SIGTSTP as something to poll, while it lives. Signals that the process was told to ignore
/// stay ignored. On the main thread, before others start.
class SignalQueue {
 public:
  /// Errors: io.
  static Result<SignalQueue> open();
  SignalQueue(SignalQueue&& other) noexcept;
  SignalQueue& operator=(SignalQueue&&) = delete;
  ~SignalQueue();

  int fd() const { return fd_.get(); }
  /// The next signal that has come, 0 if none has.
  int next_signal() const;

 private:
  SignalQueue() = default;
  sigset_t previous_mask_{};
  FileDescriptor fd_;
};

}  // namespace weir
