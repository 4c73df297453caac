#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include <volk.h>

namespace weir::compute::vulkan {

/// The two streams of a device.
enum class QueueRole : std::size_t { compute, transfer };
inline QueueRole other_queue(QueueRole queue) {
  return queue == QueueRole::compute ? QueueRole::transfer : QueueRole::compute;
}

/// The queues that a device is used through.
struct Queues {
  std::uint32_t compute_family = 0;   ///< of the queue that computes, its first
  std::uint32_t transfer_family = 0;  ///< of the queue that copies
  std::uint32_t transfer_index = 0;   ///< of that queue in its family
  bool operator==(const Queues&) const = default;
  /// Copies have a queue of their own.
  bool has_transfer_queue() const { return transfer_family != compute_family || transfer_index != 0; }
};

/// To compute: a queue that draws nothing, if there is one; it does not wait for the desktop. To copy: a queue that can do
/// nothing else (a copy engine), else a second one of the family that computes, else the same. Empty if none computes.
/// Makes no driver call.
std::optional<Queues> choose_queues(std::span<const VkQueueFamilyProperties> families);

}  // namespace weir::compute::vulkan
