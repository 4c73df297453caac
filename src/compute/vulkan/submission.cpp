#include "compute/vulkan/submission.hpp"

#include <fmt/format.h>

#include "compute/vulkan/make_struct.hpp"
#include "compute/vulkan/result.hpp"

namespace weir::compute::vulkan {

namespace {

VkResult create_command_buffer(LogicalDevice& device, QueueRole queue, Submission& submission) {
  auto pool_info = make_struct<VkCommandPoolCreateInfo>(VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO);
  pool_info.flags = VK_COMMAND_POOL_CREATE_TRANSIENT_BIT;
  pool_info.queueFamilyIndex = device.queue_family(queue);
  const VkResult result =
      device.api().vkCreateCommandPool(device.handle(), &pool_info, nullptr, &submission.command_pool);
  if (result != VK_SUCCESS) return result;
  auto buffer_info = make_struct<VkCommandBufferAllocateInfo>(VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO);
  buffer_info.commandPool = submission.command_pool;
  buffer_info.commandBufferCount = 1;
  return device.api().vkAllocateCommandBuffers(device.handle(), &buffer_info, &submission.command_buffer);
}

VkResult create_descriptor_pool(LogicalDevice& device, int max_commands, Submission& submission) {
  const auto sets = static_cast<std::uint32_t>(max_commands);
  const VkDescriptorPoolSize size{VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, sets * kDescriptorCount};
  auto pool_info = make_struct<VkDescriptorPoolCreateInfo>(VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO);
  pool_info.maxSets = sets;
  pool_info.poolSizeCount = 1;
  pool_info.pPoolSizes = &size;
  return device.api().vkCreateDescriptorPool(device.handle(), &pool_info, nullptr, &submission.descriptor_pool);
}

}  // namespace

Result<std::unique_ptr<Submission>> Submission::create(LogicalDevice& device, QueueRole queue, int max_commands) {
  std::unique_ptr<Submission> made{new Submission{device}};
  VkResult result = create_command_buffer(device, queue, *made);
  const auto fence_info = make_struct<VkFenceCreateInfo>(VK_STRUCTURE_TYPE_FENCE_CREATE_INFO);
  if (result == VK_SUCCESS) result = device.api().vkCreateFence(device.handle(), &fence_info, nullptr, &made->fence);
  if (result == VK_SUCCESS && queue == QueueRole::compute) result = create_descriptor_pool(device, max_commands, *made);
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
