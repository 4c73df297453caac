#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include <volk.h>

namespace weir::compute::vulkan {

/// What a queue of a device (a list of commands that the device executes) is used for. compute: kernels, copies and
/// fills; transfer: copies and fills that can run at the same time as the commands of the compute queue.
enum class QueueRole : std::size_t { compute, transfer };
/// Returns the other one of the two roles.
inline QueueRole other_queue(QueueRole queue) {
  return queue == QueueRole::compute ? QueueRole::transfer : QueueRole::compute;
}

/// The queues of a device that weir uses for compute and for transfers; they can be the same queue. Vulkan groups
/// queues in families, which are identified by an index.
struct Queues {
  std::uint32_t compute_family = 0;   ///< family of the compute queue, which has index 0 in the family
  std::uint32_t transfer_family = 0;  ///< family of the transfer queue
  std::uint32_t transfer_index = 0;   ///< index of the transfer queue in its family
  bool operator==(const Queues&) const = default;
  /// Returns whether the transfer queue is a different queue than the compute queue.
  bool has_transfer_queue() const { return transfer_family != compute_family || transfer_index != 0; }
};

/// Chooses the queues; returns nothing if no queue can compute. Calls no driver function.
/// Compute: preferably a queue without graphics, because it does not wait for the desktop. Transfer, in this order:
/// - a queue that can only copy (a copy engine);
/// - a second queue of the compute family;
/// - the compute queue itself.
std::optional<Queues> choose_queues(std::span<const VkQueueFamilyProperties> families);

}  // namespace weir::compute::vulkan
