#pragma once

#include <csignal>

#include "base/atomic_file.hpp"
#include "base/result.hpp"

namespace weir {

/// While an object of this class exists, SIGINT, SIGTERM, SIGHUP and SIGTSTP do not act on the process: they wait in a
/// queue with a file descriptor for poll(2). Signals that the process ignores when the queue is opened stay ignored.
/// When the object is destroyed, signals that are still in the queue act on the process. Create it on the main thread
/// before other threads start, because they inherit the signal mask.
class SignalQueue {
 public:
  /// Opens the descriptor and blocks the signals. Errors: io.
  static Result<SignalQueue> open();
  SignalQueue(SignalQueue&& other) noexcept;
  SignalQueue& operator=(SignalQueue&&) = delete;
  ~SignalQueue();

  int fd() const { return fd_.get(); }  ///< readable when a signal has arrived
  /// Returns the next signal that has arrived and removes it from the queue; 0 if there is none. Does not wait.
  int next_signal() const;

 private:
  SignalQueue() = default;
  sigset_t previous_mask_{};
  FileDescriptor fd_;
};

}  // namespace weir
