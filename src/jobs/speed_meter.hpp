#pragma once

#include <deque>

#include "jobs/retry_policy.hpp"

namespace weir::jobs {

/// Measures how much work is done per second, over the last minute or, if that is shorter, since the start. The caller
/// passes the time. Not thread-safe.
class SpeedMeter {
 public:
  /// Forgets everything; the measurement starts at `now`.
  void restart(Clock::time_point now);
  /// Adds work that was done just before `now`. Times must not descend.
  void add(double amount, Clock::time_point now);
  /// Returns the amount per second; 0 if none was added.
  double per_second(Clock::time_point now) const;
  /// Shifts the measurement by a pause that has just ended, so that it does not count.
  void exclude_pause(Clock::duration pause);

 private:
  // The work of about a second, so that their number is bounded.
  struct Part {
    Clock::time_point start;
    double amount = 0;
  };
  Clock::time_point start_{};
  std::deque<Part> parts_;
};

}  // namespace weir::jobs
