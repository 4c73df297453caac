#include "nn/train/vulkan/open_training_device.hpp"

#include "nn/train/cpu_training_device.hpp"
#include "nn/train/vulkan/vulkan_training_device.hpp"

namespace weir::nn::train {

Result<std::unique_ptr<TrainingDevice>> open_training_device(const TrainingDeviceRequest& request) {
  if (request.gpu == nullptr) {
    HostDeviceSettings settings;
    settings.pool.limit = request.memory_limit;
    return std::unique_ptr<TrainingDevice>{std::make_unique<CpuTrainingDevice>(request.threads, settings)};
  }
  auto opened =
      VulkanTrainingDevice::open(request.gpu->instance, request.gpu->info, {.memory_limit = request.memory_limit});
  if (!opened) return opened.error();
  return std::unique_ptr<TrainingDevice>{*std::move(opened)};
}

}  // namespace weir::nn::train
