#include "compute/vulkan/submission.hpp"

#include <fmt/format.h>

#include "compute/vulkan/result.hpp"
#include "compute/vulkan/typed.hpp"

namespace weir::compute::vulkan {

namespace {

VkResult make_commands(Device& device, Lane lane, Submission& made) {
  auto pool = typed<VkCommandPoolCreateInfo>(VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO);
  pool.flags = VK_COMMAND_POOL_CREATE_TRANSIENT_BIT;
  pool.queueFamilyIndex = device.queue_family(lane);
  const VkResult result = device.api().vkCreateCommandPool(device.handle(), &pool, nullptr, &made.commands);
  if (result != VK_SUCCESS) return result;
  auto buffer = typed<VkCommandBufferAllocateInfo>(VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO);
  buffer.commandPool = made.commands;
  buffer.commandBufferCount = 1;
  return device.api().vkAllocateCommandBuffers(device.handle(), &buffer, &made.buffer);
}

VkResult make_descriptors(Device& device, int max_commands, Submission& made) {
  const auto sets = static_cast<std::uint32_t>(max_commands);
  const VkDescriptorPoolSize size{VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, sets * kPlaces};
  auto descriptors = typed<VkDescriptorPoolCreateInfo>(VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO);
  descriptors.maxSets = sets;
  descriptors.poolSizeCount = 1;
  descriptors.pPoolSizes = &size;
  return device.api().vkCreateDescriptorPool(device.handle(), &descriptors, nullptr, &made.descriptors);
}

}  // namespace

Result<std::unique_ptr<Submission>> Submission::create(Device& device, Lane lane, int max_commands) {
  std::unique_ptr<Submission> made{new Submission{device}};
  VkResult result = make_commands(device, lane, *made);
  const auto fence = typed<VkFenceCreateInfo>(VK_STRUCTURE_TYPE_FENCE_CREATE_INFO);
  if (result == VK_SUCCESS) result = device.api().vkCreateFence(device.handle(), &fence, nullptr, &made->fence);
  if (result == VK_SUCCESS && lane == Lane::computes) result = make_descriptors(device, max_commands, *made);
  if (result != VK_SUCCESS) return error_of(result, fmt::format("{}: prepare a submission", device.info().name));
  return made;
}

Submission::~Submission() {
  if (device.abandoned()) return;
  device.api().vkDestroyDescriptorPool(device.handle(), descriptors, nullptr);
  device.api().vkDestroyFence(device.handle(), fence, nullptr);
  device.api().vkDestroyCommandPool(device.handle(), commands, nullptr);
}

bool Submission::clear() {
  temporaries.clear();
  count = 0;
  multiplications = 0;
  after = 0;
  const VolkDeviceTable& api = device.api();
  return api.vkResetFences(device.handle(), 1, &fence) == VK_SUCCESS &&
         (descriptors == VK_NULL_HANDLE || api.vkResetDescriptorPool(device.handle(), descriptors, 0) == VK_SUCCESS) &&
         api.vkResetCommandPool(device.handle(), commands, 0) == VK_SUCCESS;
}

}  // namespace weir::compute::vulkan
