#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "compute/vulkan/hazard_tracker.hpp"
#include "compute/vulkan/queues.hpp"

namespace weir::compute::vulkan {

/// Identifies a submission of a stream (a batch of commands): the submissions of each stream are counted from 1. They
/// end in this order. 0 means none.
using Ticket = std::uint64_t;

/// Finds which submission of the other queue a command must wait for, from the accesses that the commands of both
/// queues declare. A command must wait for an access of the other queue that conflicts with one of its own: read after
/// write, write after read, or write after write. HazardTracker finds the same conflicts within one queue. Copyable;
/// calls no driver function.
class QueueDependencies {
 public:
  /// Returns the ticket of the last submission of the other queue that must end before a command of `queue` with these
  /// accesses begins. Returns 0 if the command conflicts with no submission, or if `queue` already waits for this
  /// submission or a later one.
  Ticket find_dependency(QueueRole queue, std::span<const Access> accesses) const;
  /// Records that all later commands of `queue` begin after submission `ticket` of the other queue has ended.
  void record_wait(QueueRole queue, Ticket ticket);
  /// Stores the accesses of a command in submission `ticket` of `queue`.
  void record_accesses(QueueRole queue, Ticket ticket, std::span<const Access> accesses);
  /// Removes the stored accesses of the submissions of `queue` up to `ticket`, itself included. To be called when the
  /// host has found that they have ended, so that no command needs to wait for them.
  void remove_ended(QueueRole queue, Ticket ticket);
  /// Returns the number of stored accesses of both queues.
  std::size_t tracked_accesses() const { return queue_states_[0].accesses.size() + queue_states_[1].accesses.size(); }

 private:
  struct TrackedAccess {
    Access access;
    Ticket ticket;
  };
  struct QueueState {
    std::vector<TrackedAccess> accesses;  // in the order of their tickets
    Ticket waited_for = 0;                // ticket of the last submission of the other queue that this queue waits for
  };
  QueueState& queue_state(QueueRole queue) { return queue_states_[static_cast<std::size_t>(queue)]; }
  const QueueState& queue_state(QueueRole queue) const { return queue_states_[static_cast<std::size_t>(queue)]; }
  std::array<QueueState, 2> queue_states_;
};

}  // namespace weir::compute::vulkan
