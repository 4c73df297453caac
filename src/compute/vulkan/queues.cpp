#include "compute/vulkan/queues.hpp"

#include <algorithm>
#include <cstddef>

namespace weir::compute::vulkan {

namespace {

bool can_compute(const VkQueueFamilyProperties& family) {
  return family.queueCount > 0 && (family.queueFlags & VK_QUEUE_COMPUTE_BIT) != 0;
}

bool can_draw(const VkQueueFamilyProperties& family) { return (family.queueFlags & VK_QUEUE_GRAPHICS_BIT) != 0; }

/// Returns whether the queues of the family can copy and do nothing else. Video queues can copy too, but weir leaves
/// them to video decoders and encoders.
bool can_only_copy(const VkQueueFamilyProperties& family) {
  constexpr VkQueueFlags kIgnoredFlags = VK_QUEUE_SPARSE_BINDING_BIT | VK_QUEUE_PROTECTED_BIT;
  return family.queueCount > 0 && (family.queueFlags & ~kIgnoredFlags) == VK_QUEUE_TRANSFER_BIT;
}

}  // namespace

std::optional<Queues> choose_queues(std::span<const VkQueueFamilyProperties> families) {
  const auto index_of = [&](auto family) { return static_cast<std::uint32_t>(family - families.begin()); };
  auto compute_family = std::find_if(families.begin(), families.end(), [](const VkQueueFamilyProperties& family) {
    return can_compute(family) && !can_draw(family);
  });
  if (compute_family == families.end()) compute_family = std::find_if(families.begin(), families.end(), can_compute);
  if (compute_family == families.end()) return std::nullopt;
  const auto copy_family = std::find_if(families.begin(), families.end(), can_only_copy);
  if (copy_family != families.end()) return Queues{index_of(compute_family), index_of(copy_family), 0};
  return Queues{index_of(compute_family), index_of(compute_family), compute_family->queueCount > 1 ? 1U : 0U};
}

}  // namespace weir::compute::vulkan
