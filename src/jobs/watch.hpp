#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>

#include "base/bytes.hpp"

namespace weir::jobs {

using Clock = std::chrono::steady_clock;

/// The growth of a worker, from what it holds after each item: a straight line through the last 20 (least squares), and for
/// slow leaks the mean of the last five above the lowest such mean before.
class GrowthWatch {
 public:
  void add(Bytes held);
  double last_bytes() const { return held_.empty() ? 0 : held_.back(); }
  /// Signed; 0 while there are fewer than five items.
  double bytes_per_item() const;
  /// The larger of the two.
  double growth_bytes() const;
  bool is_leak() const { return growth_bytes() > kMost; }
  static constexpr double kMost = 100e6;

 private:
  static constexpr std::size_t kWindow = 20;
  double recent() const;

  std::deque<double> held_;
  std::optional<double> lowest_;
};

/// When a run should go on with one worker, and when with all again. Time is passed in.
class Fallback {
 public:
  /// A worker died, or its device was reset, on this item. True if the run becomes sequential by it: three such within
  /// ten minutes on different items.
  bool died(std::uint32_t item, Clock::time_point now);
  /// An item was done. True if the run becomes parallel again by it: ten in a row.
  bool succeeded();
  bool sequential() const { return sequential_; }

 private:
  struct Death {
    std::uint32_t item;
    Clock::time_point when;
  };
  std::deque<Death> deaths_;
  bool sequential_ = false;
  int good_ = 0;
};

inline constexpr int kMostAttempts = 3;

/// The pause before attempt `number` (the first is 1): none, then a second, then four, then sixteen each time.
std::chrono::milliseconds backoff(int number);

/// How long a worker may give no sign of life: `stall`, for items that are expected to take more than ten minutes as many
/// times that as they take ten minutes, at most ten times.
std::chrono::duration<double> stall_limit(std::chrono::duration<double> stall, double expected_s);

}  // namespace weir::jobs
