#include "compute/vulkan/submission.hpp"

#include <fmt/format.h>

#include "compute/vulkan/make_struct.hpp"
#include "compute/vulkan/result.hpp"

namespace weir::compute::vulkan {

namespace {

VkResult make_commands(LogicalDevice& device, QueueRole queue, Submission& made) {
  auto pool = make_struct<VkCommandPoolCreateInfo>(VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO);
  pool.flags = VK_COMMAND_POOL_CREATE_TRANSIENT_BIT;
  pool.queueFamilyIndex = device.queue_family(queue);
  const VkResult result = device.api().vkCreateCommandPool(device.handle(), &pool, nullptr, &made.command_pool);
  if (result != VK_SUCCESS) return result;
  auto buffer = make_struct<VkCommandBufferAllocateInfo>(VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO);
  buffer.commandPool = made.command_pool;
  buffer.commandBufferCount = 1;
  return device.api().vkAllocateCommandBuffers(device.handle(), &buffer, &made.command_buffer);
}

VkResult make_descriptors(LogicalDevice& device, int max_commands, Submission& made) {
  const auto sets = static_cast<std::uint32_t>(max_commands);
  const VkDescriptorPoolSize size{VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, sets * kDescriptorCount};
  auto descriptors = make_struct<VkDescriptorPoolCreateInfo>(VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO);
  descriptors.maxSets = sets;
  descriptors.poolSizeCount = 1;
  descriptors.pPoolSizes = &size;
  return device.api().vkCreateDescriptorPool(device.handle(), &descriptors, nullptr, &made.descriptor_pool);
}

}  // namespace

Result<std::unique_ptr<Submission>> Submission::create(LogicalDevice& device, QueueRole queue, int max_commands) {
  std::unique_ptr<Submission> made{new Submission{device}};
  VkResult result = make_commands(device, queue, *made);
  const auto fence = make_struct<VkFenceCreateInfo>(VK_STRUCTURE_TYPE_FENCE_CREATE_INFO);
  if (result == VK_SUCCESS) result = device.api().vkCreateFence(device.handle(), &fence, nullptr, &made->fence);
  if (result == VK_SUCCESS && queue == QueueRole::compute) result = make_descriptors(device, max_commands, *made);
  if (result != VK_SUCCESS)
    return error_from_result(result, fmt::format("{}: prepare a submission", device.info().name));
  return made;
}

Submission::~Submission() {
  if (device.is_abandoned()) return;
  device.api().vkDestroyDescriptorPool(device.handle(), descriptor_pool, nullptr);
  device.api().vkDestroyFence(device.handle(), fence, nullptr);
  device.api().vkDestroyCommandPool(device.handle(), command_pool, nullptr);
}

bool Submission::reset() {
  temporary_buffers.clear();
  command_count = 0;
  multiplications = 0;
  wait_for = 0;
  const VolkDeviceTable& api = device.api();
  return api.vkResetFences(device.handle(), 1, &fence) == VK_SUCCESS &&
         (descriptor_pool == VK_NULL_HANDLE ||
          api.vkResetDescriptorPool(device.handle(), descriptor_pool, 0) == VK_SUCCESS) &&
         api.vkResetCommandPool(device.handle(), command_pool, 0) == VK_SUCCESS;
}

}  // namespace weir::compute::vulkan
