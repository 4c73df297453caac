#include "jobs/run_queue.hpp"

#include <algorithm>

namespace weir::jobs {

std::optional<ItemNumber> RunQueue::take_unestimated() {
  if (unestimated_.empty()) return std::nullopt;
  const ItemNumber number = unestimated_.front();
  unestimated_.pop_front();
  return number;
}

void RunQueue::add(ItemNumber number) {
  const Estimate& estimate = worklist_[number].estimate;
  waiting_cost_ += estimate.cost;
  waiting_output_ += estimate.output;
  ready_.add(number, estimate.cost);
}

std::optional<ItemNumber> RunQueue::take(std::span<const DeviceLoad> devices, std::size_t device_index) {
  const auto number = ready_.take(devices, device_index);
  if (!number) return number;
  const Estimate& estimate = worklist_[*number].estimate;
  waiting_cost_ = std::max(0.0, waiting_cost_ - estimate.cost);
  waiting_output_ = waiting_output_ - estimate.output;
  return number;
}

void RunQueue::release_delayed(Clock::time_point now) {
  std::erase_if(delayed_, [&](const auto& delayed) {
    if (delayed.first > now) return false;
    add(delayed.second);
    return true;
  });
}

void RunQueue::release_waiting_for_disk() {
  for (const ItemNumber number : std::exchange(waiting_for_disk_, {})) add(number);
}

bool RunQueue::waits_only_for_disk() const { return !waiting_for_disk_.empty() && count_without_disk_waits() == 0; }

}  // namespace weir::jobs
