#include "compute/vulkan/dispatch.hpp"

#include <cassert>

#include "compute/vulkan/make_struct.hpp"
#include "compute/vulkan/result.hpp"

namespace weir::compute::vulkan {

namespace {

Result<VkDescriptorSet> allocate_descriptor_set(LogicalDevice& device, VkDescriptorPool pool) {
  VkDescriptorSetLayout layout = device.descriptor_layout();
  auto allocate_info = make_struct<VkDescriptorSetAllocateInfo>(VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO);
  allocate_info.descriptorPool = pool;
  allocate_info.descriptorSetCount = 1;
  allocate_info.pSetLayouts = &layout;
  VkDescriptorSet set = VK_NULL_HANDLE;
  const VkResult result = device.api().vkAllocateDescriptorSets(device.handle(), &allocate_info, &set);
  if (result != VK_SUCCESS) return error_from_result(result, "bind buffers");
  return set;
}

}  // namespace

Result<VkDescriptorSet> bind_buffers(LogicalDevice& device, VkDescriptorPool pool, const Dispatch& dispatch) {
  auto set = allocate_descriptor_set(device, pool);
  if (!set) return set;
  std::vector<VkDescriptorBufferInfo> infos(kDescriptorCount);  // `writes` points to its elements, so it must not grow
  std::vector<VkWriteDescriptorSet> writes;
  const auto add = [&](BindingSlot slot, std::uint32_t index, Slice slice) {
    VkDescriptorBufferInfo& info = infos[writes.size()];
    info = {slice.buffer, slice.offset, slice.size};
    auto write = make_struct<VkWriteDescriptorSet>(VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET);
    write.dstSet = *set;
    write.dstBinding = static_cast<std::uint32_t>(slot);
    write.dstArrayElement = index;
    write.descriptorCount = 1;
    write.descriptorType = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER;
    write.pBufferInfo = &info;
    writes.push_back(write);
  };
  std::array<bool, static_cast<std::size_t>(BindingSlot::count)> bound{};
  std::uint32_t source_count = 0;
  for (const BufferBinding& binding : dispatch.bindings) {
    assert(binding.slice.offset % device.info().binding_alignment.count() == 0);
    add(binding.slot, binding.index, binding.slice);
    bound[static_cast<std::size_t>(binding.slot)] = true;
    if (binding.slot == BindingSlot::sources) ++source_count;
  }
  // Every slot in the layout must have a buffer, also a slot that the shader never reads.
  const Slice placeholder = dispatch.bindings.front().slice;
  for (std::uint32_t i = source_count; i < kMaxSources; ++i) add(BindingSlot::sources, i, placeholder);
  for (std::size_t slot = 1; slot < bound.size(); ++slot) {  // 0 is BindingSlot::sources
    if (!bound[slot]) add(static_cast<BindingSlot>(slot), 0, placeholder);
  }
  device.api().vkUpdateDescriptorSets(device.handle(), static_cast<std::uint32_t>(writes.size()), writes.data(), 0,
                                      nullptr);
  return set;
}

}  // namespace weir::compute::vulkan
