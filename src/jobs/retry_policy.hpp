#pragma once

#include <chrono>
#include <cstdint>
#include <deque>

namespace weir::jobs {

using Clock = std::chrono::steady_clock;

/// Decides when a run becomes sequential (continues with one worker), because parallel work may cause its failures, and
/// when it uses all workers again. The caller passes the time.
class SequentialFallback {
 public:
  /// Records that a worker died, or its device was reset, while it worked on this item. Returns true if this makes the
  /// run sequential: three such failures within ten minutes, on different items.
  bool record_failure(std::uint32_t item, Clock::time_point now);
  /// Records an item that was done. Returns true if this makes the run parallel again: ten successes in a row.
  bool record_success();
  bool is_sequential() const { return sequential_; }

 private:
  struct Failure {
    std::uint32_t item;
    Clock::time_point when;
  };
  std::deque<Failure> failures_;
  bool sequential_ = false;
  int successes_ = 0;
};

/// The largest number of attempts at one item, unless its task itself requests more (AttemptResult::retry).
inline constexpr int kMaxAttempts = 3;

/// Returns the delay before an attempt: 0 s for number 1, 1 s for 2, 4 s for 3, and 16 s for all later ones.
std::chrono::milliseconds retry_delay(int attempt_number);

/// Returns how long a worker may send no heartbeat: `stall` for items that are expected to take at most ten minutes;
/// for longer ones `stall` * `expected_s` / 600, but at most ten times `stall`.
std::chrono::duration<double> stall_limit(std::chrono::duration<double> stall, double expected_s);

}  // namespace weir::jobs
