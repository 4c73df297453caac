#pragma once

#include <atomic>
#include <condition_variable>
#include <csignal>
#include <deque>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string_view>
#include <thread>

#include "jobs/frame.hpp"
#include "jobs/json.hpp"

namespace weir::jobs {

/// The exit status of a worker whose coordinator has ended or sends an invalid message.
inline constexpr int kExitCoordinatorGone = 4;

/// Receives the coordinator's messages in a worker, on a separate thread, so that a stop reaches a running item. When
/// the coordinator has ended or sends an invalid message, the inbox closes: it requests the stop of the item, and ends
/// the process with kExitCoordinatorGone if the process still runs 1.9 seconds later. Only one thread may call take().
class Inbox {
 public:
  /// `channel_fd`: the socket to the coordinator; it must stay open as long as the inbox lives.
  explicit Inbox(int channel_fd)
      : thread_{[this, channel_fd](const std::stop_token& quit) { read(channel_fd, quit); }} {}

  /// Waits for the next message, removes it and returns it; empty when the inbox is closed and no message is left.
  std::optional<Json> take();
  /// Returns the token on which a stop is requested when the message "stop" or "end" arrives, or the inbox closes.
  /// ("stop" ends the running item too; "end" arrives when no item runs, possibly while the worker waits for a lease.)
  std::stop_token stop_token() const { return stop_.get_token(); }
  /// Returns the number of the signal that stopped the coordinator, or SIGINT if no signal did. Valid once a stop is
  /// requested. Thread-safe.
  int stop_signal() const { return signal_; }

 private:
  // `quit` is requested by the destructor.
  void read(int channel_fd, const std::stop_token& quit);
  bool add_messages(FrameReader& frames, std::string_view bytes);
  void close(const std::stop_token& quit);

  std::mutex mutex_;
  std::condition_variable arrived_;
  std::deque<Json> messages_;
  bool closed_ = false;
  std::atomic<int> signal_ = SIGINT;
  std::stop_source stop_;
  std::jthread thread_;  // last member: its thread uses the others
};

}  // namespace weir::jobs
