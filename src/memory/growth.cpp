#include "memory/growth.hpp"

#include <algorithm>
#include <cstdlib>

#include <fmt/format.h>

namespace weir::memory {
namespace {

std::int64_t difference(Bytes before, Bytes after) {
  return static_cast<std::int64_t>(after.count()) - static_cast<std::int64_t>(before.count());
}

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

double median_of(std::span<const double> values) { return median({values.begin(), values.end()}); }

/// What one witness saw, all its meters together.
struct Testimony {
  std::int64_t bytes = 0;
  bool spoke = false;
};

}  // namespace

std::string signed_text(std::int64_t bytes) {
  const std::string size = to_text(Bytes{static_cast<std::uint64_t>(std::llabs(bytes))});
  return bytes > 0 ? "+" + size : bytes < 0 ? "-" + size : size;
}

Sample take_sample(const Meters& meters) {
  Sample sample;
  sample.reserve(meters.size());
  for (const auto& meter : meters) {
    const auto reading = meter->read();
    sample.push_back(reading ? std::optional{reading->value} : std::nullopt);
  }
  return sample;
}

Growth growth_between(const Meters& meters, Side side, const Sample& before, const Sample& after) {
  Testimony allocator;
  Testimony system;
  Growth growth;
  for (std::size_t i = 0; i < meters.size() && i < before.size() && i < after.size(); ++i) {
    if (meters[i]->side() != side || !before[i] || !after[i]) continue;
    Testimony& witness = meters[i]->witness() == Witness::allocator ? allocator : system;
    const std::int64_t grown = difference(*before[i], *after[i]);
    witness.bytes += grown;
    witness.spoke = true;
    growth.evidence +=
        fmt::format("{}{} {}", growth.evidence.empty() ? "" : ", ", meters[i]->name(), signed_text(grown));
  }
  growth.confirmed = allocator.spoke && system.spoke;
  if (growth.confirmed)
    growth.bytes = std::min(allocator.bytes, system.bytes);
  else
    growth.bytes = allocator.spoke ? allocator.bytes : system.bytes;
  return growth;
}

double steady_slope(std::span<const double> levels) {
  constexpr std::size_t kLeast = 10;
  if (levels.size() < kLeast) return 0;
  std::vector<double> slopes;
  slopes.reserve(levels.size() * (levels.size() - 1) / 2);
  for (std::size_t i = 0; i < levels.size(); ++i)
    for (std::size_t j = i + 1; j < levels.size(); ++j)
      slopes.push_back((levels[j] - levels[i]) / static_cast<double>(j - i));
  const double slope = median(std::move(slopes));
  if (slope <= 0) return 0;
  // A single step up is a slope over all pairs too: a creep must show between the thirds as well.
  const std::size_t third = levels.size() / 3;
  const double first = median_of(levels.first(third));
  const double middle = median_of(levels.subspan(third, third));
  const double last = median_of(levels.last(third));
  const double least = slope * static_cast<double>(third) / 2;
  return middle - first >= least && last - middle >= least ? slope : 0;
}

}  // namespace weir::memory
