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
  /// Records that a worker died, or its device was reset, while it worked on this item, or that its attempt failed with
  /// AttemptResult::unstable. Returns true if this makes the run sequential: three such failures within ten minutes, on
  /// different items.
  bool record_failure(std::uint32_t item, Clock::time_point now);
  /// Records an item that was done. Returns true if this makes the run parallel again: ten items were done since the
  /// last call of record_failure().
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

/// The largest number of attempts at one item. It does not limit attempts that the task itself requests
/// (AttemptResult::retry).
inline constexpr int kMaxAttempts = 3;

/// Returns the delay before an attempt: 0 s for number 1, 1 s for 2, 4 s for 3, and 16 s for all later ones.
std::chrono::milliseconds retry_delay(int attempt_number);

/// Returns how long a worker with an item may send no message. `stall`: RunSettings::stall_timeout; `expected_s`:
/// expected duration of the item, 0 if unknown. The result is `stall` for at most ten minutes; it grows in proportion
/// to `expected_s` for longer items, to at most ten times `stall`.
std::chrono::duration<double> stall_limit(std::chrono::duration<double> stall, double expected_s);

}  // namespace weir::jobs
