#include "jobs/retry_policy.hpp"

#include <algorithm>
#include <set>

namespace weir::jobs {
namespace {

constexpr auto kWindow = std::chrono::minutes{10};  // older failures do not count
constexpr std::size_t kFailuresToSequential = 3;    // number of different failed items that makes the run sequential
constexpr int kSuccessesToParallel = 10;            // successes in a row that make it parallel again
constexpr double kShortItemS = 600;                 // up to this expected duration, the stall limit is not lengthened

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
  if (attempt_number <= 1) return std::chrono::milliseconds{0};
  const int quadruplings = std::min(attempt_number - 2, 2);
  return std::chrono::milliseconds{1000 << (2 * quadruplings)};  // 1 s * 4^quadruplings
}

std::chrono::duration<double> stall_limit(std::chrono::duration<double> stall, double expected_s) {
  return stall * std::clamp(expected_s / kShortItemS, 1.0, 10.0);
}

}  // namespace weir::jobs
