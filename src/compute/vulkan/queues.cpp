#include "compute/vulkan/queues.hpp"

#include <algorithm>
#include <cstddef>

namespace weir::compute::vulkan {

namespace {

bool computes(const VkQueueFamilyProperties& family) {
  return family.queueCount > 0 && (family.queueFlags & VK_QUEUE_COMPUTE_BIT) != 0;
}

bool draws(const VkQueueFamilyProperties& family) { return (family.queueFlags & VK_QUEUE_GRAPHICS_BIT) != 0; }

/// Queues that decode or encode film can copy too; they are left to film.
bool only_copies(const VkQueueFamilyProperties& family) {
  constexpr VkQueueFlags kBeside = VK_QUEUE_SPARSE_BINDING_BIT | VK_QUEUE_PROTECTED_BIT;
  return family.queueCount > 0 && (family.queueFlags & ~kBeside) == VK_QUEUE_TRANSFER_BIT;
}

}  // namespace

std::optional<Queues> choose_queues(std::span<const VkQueueFamilyProperties> families) {
  const auto place = [&](auto found) { return static_cast<std::uint32_t>(found - families.begin()); };
  auto computing = std::find_if(families.begin(), families.end(), [](const VkQueueFamilyProperties& family) {
    return computes(family) && !draws(family);
  });
  if (computing == families.end()) computing = std::find_if(families.begin(), families.end(), computes);
  if (computing == families.end()) return std::nullopt;
  const auto copying = std::find_if(families.begin(), families.end(), only_copies);
  if (copying != families.end()) return Queues{place(computing), place(copying), 0};
  return Queues{place(computing), place(computing), computing->queueCount > 1 ? 1U : 0U};
}

}  // namespace weir::compute::vulkan
