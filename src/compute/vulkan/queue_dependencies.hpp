#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "compute/vulkan/hazard_tracker.hpp"
#include "compute/vulkan/queues.hpp"

namespace weir::compute::vulkan {

/// The number of a submission of a stream, from 1; smaller ones end before larger ones.
using Ticket = std::uint64_t;

/// Finds what a command of one stream must wait for of the other, from the inputs and outputs that the commands of both
/// declare: read after write, write after read, write after write. Within a stream Hazards does it. A value; makes no call.
class QueueDependencies {
 public:
  /// The submission of the other lane that must have ended before a command with these uses begins; 0: none.
  Ticket find_dependency(QueueRole queue, std::span<const Access> accesses) const;
  /// From now on everything of this lane begins after that submission of the other has ended.
  void record_wait(QueueRole queue, Ticket ticket);
  /// A command was recorded into that submission of this lane.
  void record_accesses(QueueRole queue, Ticket ticket, std::span<const Access> accesses);
  /// The host has seen that this lane's submission has ended: nobody waits for it any more.
  void remove_ended(QueueRole queue, Ticket ticket);
  std::size_t tracked_accesses() const { return queue_states_[0].accesses.size() + queue_states_[1].accesses.size(); }

 private:
  struct TrackedAccess {
    Access access;
    Ticket ticket;
  };
  struct QueueState {
    std::vector<TrackedAccess> accesses;  // in the order of their tickets
    Ticket waited_for = 0;                // for the other lane
  };
  QueueState& queue_state(QueueRole queue) { return queue_states_[static_cast<std::size_t>(queue)]; }
  const QueueState& queue_state(QueueRole queue) const { return queue_states_[static_cast<std::size_t>(queue)]; }
  std::array<QueueState, 2> queue_states_;
};

}  // namespace weir::compute::vulkan
