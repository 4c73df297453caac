#pragma once

#include <csignal>

#include <chrono>
#include <memory>
#include <stop_token>

namespace weir {

/// Returns whether the process ignores the signal, as nohup arranges for SIGHUP.
bool is_signal_ignored(int signal);

/// While an object of this class exists, it blocks SIGINT, SIGTERM and SIGHUP (except those that the process ignores),
/// so that they do not end the process. A signal that arrives stays pending: each SignalStopSource that is created in
/// this time receives it, one after the other. The destructor discards pending signals. Create the object on the main
/// thread before other threads start: they inherit the signal mask.
class SignalBlocker {
 public:
  SignalBlocker();
  ~SignalBlocker();
  SignalBlocker(const SignalBlocker&) = delete;
  SignalBlocker& operator=(const SignalBlocker&) = delete;

 private:
  sigset_t signals_{}, previous_mask_{};
};

/// Turns SIGINT, SIGTERM and SIGHUP into a stop request. Signals that the process ignores stay ignored. Create it in
/// main before any other thread starts: threads inherit the signal mask. The program must destroy this object within
/// `grace` after the stop request. Otherwise the process exits with `status`; `before_exit`, which must not be null,
/// runs just before that, on the thread of this object. While a SignalBlocker exists, the last signal that this object
/// received is pending again after its destruction, for the next SignalStopSource.
class SignalStopSource {
 public:
  SignalStopSource(std::chrono::milliseconds grace, int status, void (*before_exit)());
  ~SignalStopSource();
  SignalStopSource(const SignalStopSource&) = delete;
  SignalStopSource& operator=(const SignalStopSource&) = delete;
  /// Returns the token of the stop request.
  std::stop_token token() const;
  /// Returns the signal that requested the stop if it must be forwarded to a command in the same process group. Returns
  /// 0 if no signal arrived, or if the kernel sent the signal (Ctrl-C on the terminal), because the command then
  /// received it too. Thread-safe.
  int signal_to_forward() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Prepares the process; call it first in main. Opens descriptors 0, 1 and 2 if they are closed, so that no file of
/// this process gets the number of a standard stream; using a stream that was closed still fails. Ignores SIGPIPE and
/// SIGXFSZ, so that writing to a closed pipe or beyond the file size limit is an error instead of the end of the
/// process. Calls allow_child_statuses().
void prepare_standard_streams();

}  // namespace weir
