#pragma once

#include <csignal>

#include <chrono>
#include <memory>
#include <stop_token>

namespace weir {

/// The process was told to ignore the signal, as nohup does with SIGHUP: it stays ignored.
bool is_signal_ignored(int signal);

/// From here to its end SIGINT, SIGTERM and SIGHUP (those that the process was not told to ignore) end it no more: they wait for
/// whoever takes them, one watch after the other, and those that nobody takes are dropped at the end. On the main thread,
/// before others start: they inherit it.
class SignalBlocker {
 public:
  SignalBlocker();
  ~SignalBlocker();
  SignalBlocker(const SignalBlocker&) = delete;
  SignalBlocker& operator=(const SignalBlocker&) = delete;

 private:
  sigset_t signals_{}, previous_mask_{};
};

/// Turns SIGINT, SIGTERM and SIGHUP into a stop request. Signals that the process was told to ignore stay ignored. Make one
/// in main before any other thread starts: threads inherit the mask. Work that does not end within `grace` after the request ends the process with `status`; `last_words`
/// runs just before that, on the watching thread. Under a SignalHold a signal that came is left for the next watch at the end.
class SignalStopSource {
 public:
  SignalStopSource(std::chrono::milliseconds grace, int status, void (*before_exit)());
  ~SignalStopSource();
  SignalStopSource(const SignalStopSource&) = delete;
  SignalStopSource& operator=(const SignalStopSource&) = delete;
  std::stop_token token() const;
  /// The signal that asked for the stop, to be passed on to a command in our process group; 0 if there was none, or if the
  /// kernel sent it for the terminal and so to the command as well. Thread-safe.
  int signal_to_forward() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Makes sure that descriptors 0, 1 and 2 are taken, so that no file of ours ever gets the number of a closed standard
/// stream, and makes writing to a pipe that nobody reads, or beyond the limit on a file's size, an error instead of a death;
/// and lets exit statuses arrive (keep_exit_statuses). Call it first in main. Writing to
/// a stream that was closed fails afterwards, as it should.
void prepare_standard_streams();

}  // namespace weir
