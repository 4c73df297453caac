#include "jobs/work_queue.hpp"

#include <algorithm>
#include <vector>

namespace weir::jobs {
namespace {

/// The largest number of waiting items for which take() computes an assignment, which takes (number of items) *
/// (number of devices) steps.
constexpr std::size_t kMaxAssignedItems = 256;

/// Returns the average of the known speeds; 1 if none is known.
double average_speed(std::span<const DeviceLoad> devices) {
  double sum = 0;
  int known_speeds = 0;
  for (const DeviceLoad& device : devices) {
    if (device.speed <= 0) continue;
    sum += device.speed;
    ++known_speeds;
  }
  return known_speeds == 0 ? 1 : sum / known_speeds;
}

}  // namespace

/// Uses the rule "longest processing time first" (LPT) for machines of different speeds. Source: Gonzalez, Ibarra,
/// Sahni, "Bounds for LPT schedules on uniform processors", SIAM J. Comput. 6 (1977).
std::optional<WorkQueue::Number> WorkQueue::take(std::span<const DeviceLoad> devices, std::size_t device_index) {
  if (waiting_.empty()) return std::nullopt;
  auto chosen = waiting_.end();
  if (devices.size() == 1 || waiting_.size() > kMaxAssignedItems) {
    chosen = waiting_.begin();
  } else {
    const double average = average_speed(devices);
    std::vector<double> free_at;  // when each device can start the next item, in seconds from now
    for (const DeviceLoad& device : devices) free_at.push_back(device.busy_s);
    // Assigns one item after the other, the largest first, until one is assigned to the free device.
    for (auto item = waiting_.begin(); item != waiting_.end(); ++item) {
      std::size_t best = device_index;  // of devices with equal end times, the one that is free now is preferred
      // Returns when device i would finish the item. `item->first` is the negative cost of the item.
      const auto finish_time = [&](std::size_t i) {
        return free_at[i] - item->first / (devices[i].speed > 0 ? devices[i].speed : average);
      };
      for (std::size_t i = 0; i < devices.size(); ++i) {
        if (finish_time(i) < finish_time(best)) best = i;
      }
      if (best == device_index) {
        chosen = item;
        break;
      }
      free_at[best] = finish_time(best);
    }
  }
  if (chosen == waiting_.end()) return std::nullopt;
  const Number number = chosen->second;
  waiting_.erase(chosen);
  return number;
}

}  // namespace weir::jobs
