// The memory of a LogicalDevice: the choice of a memory type, allocation and release.

#include <array>
#include <optional>
#include <string>
#include <tuple>

#include <fmt/format.h>

#include "compute/vulkan/logical_device.hpp"
#include "compute/vulkan/make_struct.hpp"

namespace weir::compute::vulkan {

Result<std::uint32_t> choose_memory_type(const VkPhysicalDeviceMemoryProperties& memory, std::uint32_t allowed,
                                         MemoryUsage usage) {
  constexpr VkMemoryPropertyFlags kLocal = VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT;
  constexpr VkMemoryPropertyFlags kHost = VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT;
  constexpr VkMemoryPropertyFlags kCached = VK_MEMORY_PROPERTY_HOST_CACHED_BIT;
  // Memory that buffers cannot use, or that is slow.
  constexpr VkMemoryPropertyFlags kExcluded = VK_MEMORY_PROPERTY_PROTECTED_BIT |
                                              VK_MEMORY_PROPERTY_LAZILY_ALLOCATED_BIT |
                                              VK_MEMORY_PROPERTY_DEVICE_UNCACHED_BIT_AMD;
  const auto has = [](VkMemoryPropertyFlags flags, VkMemoryPropertyFlags flags_needed) {
    return (flags & flags_needed) == flags_needed;
  };
  std::optional<std::uint32_t> best;
  // Points for the preferred properties (4 for the first, fewer for the second), then the size of the heap.
  std::tuple<int, VkDeviceSize> best_score;
  for (std::uint32_t i = 0; i < memory.memoryTypeCount; ++i) {
    const VkMemoryPropertyFlags flags = memory.memoryTypes[i].propertyFlags;
    if ((allowed & (1U << i)) == 0 || (flags & kExcluded) != 0) continue;
    const VkDeviceSize heap = memory.memoryHeaps[memory.memoryTypes[i].heapIndex].size;
    int points = 0;
    if (usage == MemoryUsage::device) {
      points = (has(flags, kLocal) ? 4 : 0) + ((flags & VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT) == 0 ? 1 : 0);
    } else {
      if (!has(flags, kHost)) continue;
      const bool cached = has(flags, kCached);
      points = (has(flags, kLocal) ? 0 : 4) + (cached == (usage == MemoryUsage::download) ? 2 : 0);
    }
    const std::tuple score{points, heap};
    if (best && score <= best_score) continue;
    best = i;
    best_score = score;
  }
  if (best) return *best;
  return Error{Errc::unsupported,
               "the driver has no suitable memory type, such as memory that host and device can both access"};
}

Result<MemoryBlock> LogicalDevice::allocate(Bytes size, MemoryUsage usage) {
  const std::string operation = fmt::format("allocate {}", to_text(size));
  if (lost_) return make_error(VK_ERROR_DEVICE_LOST, operation);
  MemoryBlock block;
  block.size = size;
  auto create_info = make_struct<VkBufferCreateInfo>(VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO);
  create_info.size = size.count();
  create_info.usage =
      VK_BUFFER_USAGE_STORAGE_BUFFER_BIT | VK_BUFFER_USAGE_TRANSFER_SRC_BIT | VK_BUFFER_USAGE_TRANSFER_DST_BIT;
  const std::array families{info_.queues.compute_family, info_.queues.transfer_family};
  if (families[0] != families[1]) {
    // Both queues may use any block; exclusive buffers would need an ownership transfer each time the pool reuses one.
    create_info.sharingMode = VK_SHARING_MODE_CONCURRENT;
    create_info.queueFamilyIndexCount = 2;
    create_info.pQueueFamilyIndices = families.data();
  }
  VkResult result = injected_result(FaultPoint::allocate);
  if (result == VK_SUCCESS) result = api_.vkCreateBuffer(handle_, &create_info, nullptr, &block.buffer);
  if (result != VK_SUCCESS) return make_error(result, operation);
  VkMemoryRequirements requirements{};
  api_.vkGetBufferMemoryRequirements(handle_, block.buffer, &requirements);
  const auto type = choose_memory_type(memory_properties_, requirements.memoryTypeBits, usage);
  if (!type) {
    free(block);
    return type.error();
  }
  auto memory = make_struct<VkMemoryAllocateInfo>(VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO);
  memory.allocationSize = requirements.size;
  memory.memoryTypeIndex = *type;
  result = api_.vkAllocateMemory(handle_, &memory, nullptr, &block.memory);
  if (result == VK_SUCCESS) result = api_.vkBindBufferMemory(handle_, block.buffer, block.memory, 0);
  if (result == VK_SUCCESS && usage != MemoryUsage::device) {
    void* host = nullptr;
    result = api_.vkMapMemory(handle_, block.memory, 0, VK_WHOLE_SIZE, 0, &host);
    block.host = static_cast<std::byte*>(host);
  }
  if (result == VK_SUCCESS) return block;
  free(block);
  return make_error(result, operation);
}

void LogicalDevice::free(const MemoryBlock& block) {
  if (abandoned_) return;
  api_.vkDestroyBuffer(handle_, block.buffer, nullptr);
  api_.vkFreeMemory(handle_, block.memory, nullptr);
}

}  // namespace weir::compute::vulkan
