#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "base/bytes.hpp"

namespace weir::memory {

/// The median of the slopes between all pairs of levels, per step (Theil 1950, Sen 1968), which a few outliers do not move.
/// Signed; 0 for fewer than five levels.
double theil_sen_slope(std::span<const double> levels);

/// That slope if the levels rise steadily, else 0: there are at least ten, and the rise goes on from each third of them to the
/// next. A single step up is a slope over all pairs, too.
double steady_slope(std::span<const double> levels);

/// Levels of memory in use, one after each step (an item, a scope), and how they grow. The one definition of growth: of
/// workers, of devices under commands, and of scopes. Not thread-safe.
class LevelSeries {
 public:
  /// Keeps the last `most` levels.
  explicit LevelSeries(std::size_t max_levels) : max_levels_{max_levels} {}
  LevelSeries() = default;  ///< the last twenty
  void add(double level);
  void add(Bytes level) { add(static_cast<double>(level.count())); }
  void clear() { *this = LevelSeries{max_levels_}; }

  double last() const { return levels_.empty() ? 0 : levels_.back(); }
  /// Bytes per step.
  double slope() const { return theil_sen_slope(levels_); }
  double steady_slope() const { return memory::steady_slope(levels_); }
  /// The larger of what the slope makes over the levels that are kept, and, for slow growth, of the median of the last five
  /// above the lowest such median since the first level. 0 for fewer than five levels.
  double growth() const;
  bool is_leak() const { return growth() > kMaxGrowthBytes; }
  static constexpr double kMaxGrowthBytes = 100e6;  ///< of a worker over its items, of a device over commands

 private:
  double recent_median() const;

  std::size_t max_levels_ = 20;
  std::vector<double> levels_;
  std::optional<double> lowest_median_;  // of the medians of five
};

}  // namespace weir::memory
