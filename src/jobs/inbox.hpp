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

/// The exit status of a worker whose coordinator has gone.
inline constexpr int kExitCoordinatorGone = 4;

/// What the coordinator sends to a worker, read on a thread of its own, so that a stop reaches an item that is running.
/// When the coordinator has gone the item is asked to end, and a process that has not ended by itself 1.9 seconds later is
/// ended. take() is for one thread.
class Inbox {
 public:
  /// `channel` must stay open as long as the inbox lives.
  explicit Inbox(int channel_fd) : thread_{[this, channel_fd](const std::stop_token& end) { read(channel_fd, end); }} {}

  /// Waits for the next message; empty when the coordinator has gone.
  std::optional<Json> take();
  /// Asked for by "stop", by "end" (which finds no item, but perhaps a wait for a lease), and when the coordinator has gone.
  std::stop_token stop_token() const { return stop_.get_token(); }
  /// The signal that asked the coordinator to stop; SIGINT where none did. Thread-safe; of a meaning once stop() is asked for.
  int stop_signal() const { return signal_; }

 private:
  void read(int channel_fd, const std::stop_token& end);
  bool add_messages(FrameReader& frames, std::string_view bytes);
  void close(const std::stop_token& end);

  std::mutex mutex_;
  std::condition_variable arrived_;
  std::deque<Json> messages_;
  bool closed_ = false;
  std::atomic<int> signal_ = SIGINT;
  std::stop_source stop_;
  std::jthread thread_;  // last: it uses the others
};

}  // namespace weir::jobs
