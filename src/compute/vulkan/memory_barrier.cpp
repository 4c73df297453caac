#include "compute/vulkan/memory_barrier.hpp"

#include "compute/vulkan/typed.hpp"

namespace weir::compute::vulkan {

namespace {

VkPipelineStageFlags stages(unsigned touchers) {
  VkPipelineStageFlags flags = 0;
  if ((touchers & static_cast<unsigned>(Toucher::compute)) != 0) flags |= VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT;
  if ((touchers & static_cast<unsigned>(Toucher::transfer)) != 0) flags |= VK_PIPELINE_STAGE_TRANSFER_BIT;
  if ((touchers & static_cast<unsigned>(Toucher::host)) != 0) flags |= VK_PIPELINE_STAGE_HOST_BIT;
  return flags;
}

VkAccessFlags accesses(unsigned touchers, bool writes_only) {
  VkAccessFlags flags = 0;
  if ((touchers & static_cast<unsigned>(Toucher::compute)) != 0)
    flags |= VK_ACCESS_SHADER_WRITE_BIT | (writes_only ? 0 : VK_ACCESS_SHADER_READ_BIT);
  if ((touchers & static_cast<unsigned>(Toucher::transfer)) != 0)
    flags |= VK_ACCESS_TRANSFER_WRITE_BIT | (writes_only ? 0 : VK_ACCESS_TRANSFER_READ_BIT);
  if ((touchers & static_cast<unsigned>(Toucher::host)) != 0 && !writes_only) flags |= VK_ACCESS_HOST_READ_BIT;
  return flags;
}

}  // namespace

void record_barrier(const VolkDeviceTable& api, VkCommandBuffer commands, const Barrier& barrier) {
  auto memory = typed<VkMemoryBarrier>(VK_STRUCTURE_TYPE_MEMORY_BARRIER);
  memory.srcAccessMask = accesses(barrier.after, true);
  memory.dstAccessMask = accesses(barrier.before, false);
  api.vkCmdPipelineBarrier(commands, stages(barrier.after), stages(barrier.before), 0, 1, &memory, 0, nullptr, 0,
                           nullptr);
}

}  // namespace weir::compute::vulkan
