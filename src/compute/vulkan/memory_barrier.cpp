#include "compute/vulkan/memory_barrier.hpp"

#include "compute/vulkan/make_struct.hpp"

namespace weir::compute::vulkan {

namespace {

/// Returns Vulkan's flags for a set of AccessStage bits.
VkPipelineStageFlags vulkan_stages(unsigned stages) {
  VkPipelineStageFlags flags = 0;
  if ((stages & static_cast<unsigned>(AccessStage::compute)) != 0) flags |= VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT;
  if ((stages & static_cast<unsigned>(AccessStage::transfer)) != 0) flags |= VK_PIPELINE_STAGE_TRANSFER_BIT;
  if ((stages & static_cast<unsigned>(AccessStage::host)) != 0) flags |= VK_PIPELINE_STAGE_HOST_BIT;
  return flags;
}

/// Returns the accesses of a set of AccessStage bits: reads and writes, or only writes. The host only has reads:
/// its writes need no barrier, because submitting commands makes earlier writes of the host visible to them.
VkAccessFlags vulkan_accesses(unsigned stages, bool writes_only) {
  VkAccessFlags flags = 0;
  if ((stages & static_cast<unsigned>(AccessStage::compute)) != 0)
    flags |= VK_ACCESS_SHADER_WRITE_BIT | (writes_only ? 0 : VK_ACCESS_SHADER_READ_BIT);
  if ((stages & static_cast<unsigned>(AccessStage::transfer)) != 0)
    flags |= VK_ACCESS_TRANSFER_WRITE_BIT | (writes_only ? 0 : VK_ACCESS_TRANSFER_READ_BIT);
  if ((stages & static_cast<unsigned>(AccessStage::host)) != 0 && !writes_only) flags |= VK_ACCESS_HOST_READ_BIT;
  return flags;
}

}  // namespace

void record_barrier(const VolkDeviceTable& api, VkCommandBuffer commands, const Barrier& barrier) {
  auto memory = make_struct<VkMemoryBarrier>(VK_STRUCTURE_TYPE_MEMORY_BARRIER);
  memory.srcAccessMask = vulkan_accesses(barrier.source_stages, /*writes_only=*/true);
  memory.dstAccessMask = vulkan_accesses(barrier.destination_stages, /*writes_only=*/false);
  api.vkCmdPipelineBarrier(commands, vulkan_stages(barrier.source_stages), vulkan_stages(barrier.destination_stages), 0,
                           1, &memory, 0, nullptr, 0, nullptr);
}

}  // namespace weir::compute::vulkan
