#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "base/bytes.hpp"

namespace weir::memory {

/// Returns the median of the slopes between all pairs of levels, per step (Theil 1950, Sen 1968). A few outliers do not
/// change it. Signed; 0 for fewer than five levels.
double theil_sen_slope(std::span<const double> levels);

/// Returns theil_sen_slope() if the levels rise steadily, else 0. A steady rise has at least ten levels, and the median
/// rises from each third of the levels to the next by at least half of what the slope predicts. theil_sen_slope() alone
/// would also report a single step up.
double steady_slope(std::span<const double> levels);

/// A series of memory levels, one per step (an item, a command, a scope), and their growth. The checks of workers and
/// of devices under commands use growth(); the check of scopes (LeakDetector) uses steady_slope(). Not thread-safe.
class LevelSeries {
 public:
  /// Keeps the last `max_levels` levels.
  explicit LevelSeries(std::size_t max_levels) : max_levels_{max_levels} {}
  LevelSeries() = default;  ///< keeps the last twenty levels
  /// Adds a level in bytes; removes the oldest level if the series is full.
  void add(double level);
  void add(Bytes level) { add(static_cast<double>(level.count())); }
  void clear() { *this = LevelSeries{max_levels_}; }  ///< removes all levels

  double last() const { return levels_.empty() ? 0 : levels_.back(); }  ///< the newest level; 0 if there is none
  /// Returns the slope in bytes per step.
  double slope() const { return theil_sen_slope(levels_); }
  /// Returns the slope in bytes per step if the levels rise steadily, else 0.
  double steady_slope() const { return memory::steady_slope(levels_); }
  /// Returns the growth in bytes, the larger of two numbers: the slope times the number of steps between the kept
  /// levels; and, to detect slow growth, the median of the last five levels minus the lowest such median since the
  /// first level was added. At least 0; 0 for fewer than five levels.
  double growth() const;
  /// Returns true if the growth is above kMaxGrowthBytes.
  bool is_leak() const { return growth() > kMaxGrowthBytes; }
  /// largest growth in bytes that is not a leak: of a worker over its items, or of a device over commands
  static constexpr double kMaxGrowthBytes = 100e6;

 private:
  /// Returns the median of the last five levels.
  double recent_median() const;

  std::size_t max_levels_ = 20;
  std::vector<double> levels_;
  std::optional<double> lowest_median_;  // lowest median of five levels so far
};

}  // namespace weir::memory
