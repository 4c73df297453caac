#include "nn/train/vulkan/open_device.hpp"

#include "nn/train/cpu_device.hpp"
#include "nn/train/vulkan/vulkan_device.hpp"

namespace weir::nn::train {

Result<std::unique_ptr<Device>> open_device(const DeviceWish& wish) {
  if (wish.gpu == nullptr) {
    HostSettings settings;
    settings.pool.limit = wish.memory;
    return std::unique_ptr<Device>{std::make_unique<CpuDevice>(wish.threads, settings)};
  }
  auto opened = VulkanDevice::open(wish.gpu->instance, wish.gpu->info, {.memory = wish.memory});
  if (!opened) return opened.error();
  return std::unique_ptr<Device>{*std::move(opened)};
}

}  // namespace weir::nn::train
