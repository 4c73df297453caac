#include "jobs/watch.hpp"

#include <algorithm>
#include <numeric>
#include <set>

namespace weir::jobs {
namespace {

constexpr std::ptrdiff_t kFewest = 5;
constexpr auto kWindow = std::chrono::minutes{10};
constexpr std::size_t kMostDeaths = 3;
constexpr int kGoodItems = 10;

}  // namespace

void GrowthWatch::add(Bytes held) {
  held_.push_back(static_cast<double>(held.count()));
  if (held_.size() > GrowthWatch::kWindow) held_.pop_front();
  if (std::ssize(held_) >= kFewest) lowest_ = std::min(recent(), lowest_.value_or(recent()));
}

double GrowthWatch::recent() const {
  return std::accumulate(held_.end() - kFewest, held_.end(), 0.0) / static_cast<double>(kFewest);
}

double GrowthWatch::bytes_per_item() const {
  const auto n = static_cast<double>(held_.size());
  if (std::ssize(held_) < kFewest) return 0;
  double weighted = 0;
  for (std::size_t i = 0; i < held_.size(); ++i) {
    weighted += (static_cast<double>(i) - (n - 1) / 2) * held_[i];
  }
  return weighted * 12 / (n * (n * n - 1));
}

double GrowthWatch::growth_bytes() const {
  if (!lowest_) return 0;
  return std::max(bytes_per_item() * static_cast<double>(held_.size() - 1), recent() - *lowest_);
}

bool Fallback::died(std::uint32_t item, Clock::time_point now) {
  good_ = 0;
  deaths_.push_back({item, now});
  while (now - deaths_.front().when > kWindow) deaths_.pop_front();
  if (sequential_) return false;
  std::set<std::uint32_t> items;
  for (const Death& death : deaths_) items.insert(death.item);
  sequential_ = items.size() >= kMostDeaths;
  return sequential_;
}

bool Fallback::succeeded() {
  if (!sequential_ || ++good_ < kGoodItems) return false;
  sequential_ = false;
  good_ = 0;
  deaths_.clear();
  return true;
}

std::chrono::milliseconds backoff(int number) {
  return number <= 1 ? std::chrono::milliseconds{0} : std::chrono::milliseconds{1000 << (2 * std::min(number - 2, 2))};
}

std::chrono::duration<double> stall_limit(std::chrono::duration<double> stall, double expected_s) {
  return stall * std::clamp(expected_s / 600, 1.0, 10.0);
}

}  // namespace weir::jobs
