#include "jobs/run_queue.hpp"

#include <algorithm>

namespace weir::jobs {

std::optional<ItemNumber> RunQueue::take_unmeasured() {
  if (unmeasured_.empty()) return std::nullopt;
  const ItemNumber number = unmeasured_.front();
  unmeasured_.pop_front();
  return number;
}

void RunQueue::add(ItemNumber number) {
  const Estimate& estimate = list_[number].estimate;
  cost_ += estimate.cost;
  output_ += estimate.output;
  queue_.add(number, estimate.cost);
}

std::optional<ItemNumber> RunQueue::take(std::span<const Pace> devices, std::size_t which) {
  const auto number = queue_.take(devices, which);
  if (!number) return number;
  const Estimate& estimate = list_[*number].estimate;
  cost_ = std::max(0.0, cost_ - estimate.cost);
  output_ = output_ - estimate.output;
  return number;
}

void RunQueue::release_delayed(Clock::time_point now) {
  std::erase_if(delayed_, [&](const auto& delayed) {
    if (delayed.first > now) return false;
    add(delayed.second);
    return true;
  });
}

void RunQueue::release_without_room() {
  for (const ItemNumber number : std::exchange(without_room_, {})) add(number);
}

bool RunQueue::needs_room() const { return !without_room_.empty() && size() == 0; }

}  // namespace weir::jobs
