#include "memory/level_series.hpp"

#include <algorithm>
#include <utility>

namespace weir::memory {
namespace {

constexpr std::size_t kMinLevels = 5;  // fewer levels have no slope; also the number of levels in recent_median()
constexpr std::size_t kMinSteadyLevels = 10;  // fewer levels have no steady slope

/// Returns the median; of an even number of values, the upper one of the middle two.
double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

double median_of(std::span<const double> values) { return median({values.begin(), values.end()}); }

}  // namespace

double theil_sen_slope(std::span<const double> levels) {
  if (levels.size() < kMinLevels) return 0;
  std::vector<double> slopes;
  slopes.reserve(levels.size() * (levels.size() - 1) / 2);
  for (std::size_t i = 0; i < levels.size(); ++i)
    for (std::size_t j = i + 1; j < levels.size(); ++j)
      slopes.push_back((levels[j] - levels[i]) / static_cast<double>(j - i));
  return median(std::move(slopes));
}

double steady_slope(std::span<const double> levels) {
  if (levels.size() < kMinSteadyLevels) return 0;
  const double slope = theil_sen_slope(levels);
  if (slope <= 0) return 0;
  const std::size_t third = levels.size() / 3;
  const double start_level = median_of(levels.first(third));
  const double middle_level = median_of(levels.subspan(third, third));
  const double end_level = median_of(levels.last(third));
  // The rise is steady if both the first and the second half of it reach at least half of what the slope predicts.
  const double min_rise = slope * static_cast<double>(third) / 2;
  return middle_level - start_level >= min_rise && end_level - middle_level >= min_rise ? slope : 0;
}

void LevelSeries::add(double level) {
  if (levels_.size() == max_levels_) levels_.erase(levels_.begin());
  levels_.push_back(level);
  if (levels_.size() >= kMinLevels)
    lowest_median_ = std::min(recent_median(), lowest_median_.value_or(recent_median()));
}

double LevelSeries::recent_median() const { return median_of(std::span{levels_}.last(kMinLevels)); }

double LevelSeries::growth() const {
  if (!lowest_median_) return 0;
  return std::max(slope() * static_cast<double>(levels_.size() - 1), recent_median() - *lowest_median_);
}

}  // namespace weir::memory
