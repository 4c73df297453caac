#include "jobs/retry_policy.hpp"

#include <algorithm>
#include <set>

namespace weir::jobs {
namespace {

constexpr auto kWindow = std::chrono::minutes{10};  // older failures do not count
constexpr std::size_t kFailuresToSequential = 3;    // number of different failed items that makes the run sequential
constexpr int kSuccessesToParallel = 10;            // successes in a row that make it parallel again

}  // namespace

bool SequentialFallback::record_failure(std::uint32_t item, Clock::time_point now) {
  successes_ = 0;
  failures_.push_back({item, now});
  while (now - failures_.front().when > kWindow) failures_.pop_front();
  if (sequential_) return false;
  std::set<std::uint32_t> items;
  for (const Failure& failure : failures_) items.insert(failure.item);
  sequential_ = items.size() >= kFailuresToSequential;
  return sequential_;
}

bool SequentialFallback::record_success() {
  if (!sequential_ || ++successes_ < kSuccessesToParallel) return false;
  sequential_ = false;
  successes_ = 0;
  failures_.clear();
  return true;
}

std::chrono::milliseconds retry_delay(int attempt_number) {
  return attempt_number <= 1 ? std::chrono::milliseconds{0}
                             : std::chrono::milliseconds{1000 << (2 * std::min(attempt_number - 2, 2))};
}

std::chrono::duration<double> stall_limit(std::chrono::duration<double> stall, double expected_s) {
  return stall * std::clamp(expected_s / 600, 1.0, 10.0);
}

}  // namespace weir::jobs
