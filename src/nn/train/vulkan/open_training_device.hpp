#pragma once

#include <cstdint>
#include <memory>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "nn/train/training_device.hpp"
#include "nn/vulkan/gpu.hpp"

namespace weir::nn::train {

/// The device to train on, and its resources.
struct TrainingDeviceRequest {
  const vulkan::Gpu* gpu = nullptr;       ///< null: the CPU
  int threads = 1;                        ///< number of CPU threads; a GPU does not use them
  Bytes memory_limit{~std::uint64_t{0}};  ///< limit of the device's memory pool; default: no limit
};

/// Opens the device. `request.gpu` is used only during the call. Errors: those of VulkanTrainingDevice::open().
Result<std::unique_ptr<TrainingDevice>> open_training_device(const TrainingDeviceRequest& request);

}  // namespace weir::nn::train
