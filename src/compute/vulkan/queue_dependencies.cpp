#include "compute/vulkan/queue_dependencies.hpp"

#include <algorithm>

namespace weir::compute::vulkan {

Ticket QueueDependencies::find_dependency(QueueRole queue, std::span<const Access> accesses) const {
  const std::vector<TrackedAccess>& other_accesses = queue_state(other_queue(queue)).accesses;
  // The newest accesses are searched first, because waiting for the newest conflict includes all older ones.
  const auto last = std::find_if(other_accesses.rbegin(), other_accesses.rend(), [&](const TrackedAccess& tracked) {
    return std::any_of(accesses.begin(), accesses.end(),
                       [&](const Access& access) { return accesses_conflict(tracked.access, access); });
  });
  if (last == other_accesses.rend() || last->ticket <= queue_state(queue).waited_for) return 0;
  return last->ticket;
}

void QueueDependencies::record_wait(QueueRole queue, Ticket ticket) {
  queue_state(queue).waited_for = std::max(queue_state(queue).waited_for, ticket);
}

void QueueDependencies::record_accesses(QueueRole queue, Ticket ticket, std::span<const Access> accesses) {
  for (const Access& access : accesses) queue_state(queue).accesses.push_back({access, ticket});
}

void QueueDependencies::remove_ended(QueueRole queue, Ticket ticket) {
  std::erase_if(queue_state(queue).accesses, [&](const TrackedAccess& tracked) { return tracked.ticket <= ticket; });
}

}  // namespace weir::compute::vulkan
