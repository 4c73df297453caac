#include "jobs/watch.hpp"

#include <algorithm>
#include <set>

namespace weir::jobs {
namespace {

constexpr auto kWindow = std::chrono::minutes{10};
constexpr std::size_t kMostDeaths = 3;
constexpr int kGoodItems = 10;

}  // namespace

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
