#pragma once

#include <chrono>
#include <cstdint>
#include <deque>

namespace weir::jobs {

using Clock = std::chrono::steady_clock;

/// When a run should go on with one worker, and when with all again. Time is passed in.
class SequentialFallback {
 public:
  /// A worker died, or its device was reset, on this item. True if the run becomes sequential by it: three such within
  /// ten minutes on different items.
  bool record_failure(std::uint32_t item, Clock::time_point now);
  /// An item was done. True if the run becomes parallel again by it: ten in a row.
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

inline constexpr int kMaxAttempts = 3;

/// The pause before attempt `number` (the first is 1): none, then a second, then four, then sixteen each time.
std::chrono::milliseconds retry_delay(int attempt_number);

/// How long a worker may give no sign of life: `stall`, for items that are expected to take more than ten minutes as many
/// times that as they take ten minutes, at most ten times.
std::chrono::duration<double> stall_limit(std::chrono::duration<double> stall, double expected_s);

}  // namespace weir::jobs
