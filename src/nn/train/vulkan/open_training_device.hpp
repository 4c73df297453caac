#pragma once

#include <cstdint>
#include <memory>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "nn/train/training_device.hpp"
#include "nn/vulkan/gpu.hpp"

namespace weir::nn::train {

/// Where training runs, and on how much.
struct TrainingDeviceRequest {
  const vulkan::Gpu* gpu = nullptr;       ///< null: the CPU
  int threads = 1;                        ///< of the CPU
  Bytes memory_limit{~std::uint64_t{0}};  ///< the line on memory for tensors
};

/// Errors: those of opening a Vulkan device.
Result<std::unique_ptr<TrainingDevice>> open_training_device(const TrainingDeviceRequest& request);

}  // namespace weir::nn::train
