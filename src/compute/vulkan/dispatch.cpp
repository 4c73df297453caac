#include "compute/vulkan/dispatch.hpp"

#include <cassert>

#include "compute/vulkan/result.hpp"
#include "compute/vulkan/typed.hpp"

namespace weir::compute::vulkan {

namespace {

Result<VkDescriptorSet> take_set(Device& device, VkDescriptorPool pool) {
  VkDescriptorSetLayout layout = device.set_layout();
  auto allocate = typed<VkDescriptorSetAllocateInfo>(VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO);
  allocate.descriptorPool = pool;
  allocate.descriptorSetCount = 1;
  allocate.pSetLayouts = &layout;
  VkDescriptorSet set = VK_NULL_HANDLE;
  const VkResult result = device.api().vkAllocateDescriptorSets(device.handle(), &allocate, &set);
  if (result != VK_SUCCESS) return error_of(result, "bind buffers");
  return set;
}

}  // namespace

Result<VkDescriptorSet> bind_buffers(Device& device, VkDescriptorPool pool, const Dispatch& dispatch) {
  auto set = take_set(device, pool);
  if (!set) return set;
  std::vector<VkDescriptorBufferInfo> infos(kPlaces);
  std::vector<VkWriteDescriptorSet> writes;
  const auto add = [&](Place place, std::uint32_t index, Slice slice) {
    VkDescriptorBufferInfo& info = infos[writes.size()];
    info = {slice.buffer, slice.offset, slice.size};
    auto write = typed<VkWriteDescriptorSet>(VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET);
    write.dstSet = *set;
    write.dstBinding = static_cast<std::uint32_t>(place);
    write.dstArrayElement = index;
    write.descriptorCount = 1;
    write.descriptorType = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER;
    write.pBufferInfo = &info;
    writes.push_back(write);
  };
  std::array<bool, static_cast<std::size_t>(Place::count)> bound{};
  std::uint32_t sources = 0;
  for (const Use& use : dispatch.uses) {
    assert(use.slice.offset % device.info().binding_alignment.count() == 0);
    add(use.place, use.index, use.slice);
    bound[static_cast<std::size_t>(use.place)] = true;
    if (use.place == Place::sources) ++sources;
  }
  // A shader names places that constants keep it from ever reading: something must be there all the same.
  const Slice any = dispatch.uses.front().slice;
  for (std::uint32_t i = sources; i < kMostSources; ++i) add(Place::sources, i, any);
  for (std::size_t place = 1; place < bound.size(); ++place) {
    if (!bound[place]) add(static_cast<Place>(place), 0, any);
  }
  device.api().vkUpdateDescriptorSets(device.handle(), static_cast<std::uint32_t>(writes.size()), writes.data(), 0,
                                      nullptr);
  return set;
}

}  // namespace weir::compute::vulkan
