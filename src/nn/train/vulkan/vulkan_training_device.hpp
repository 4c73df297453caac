#pragma once

#include <cstddef>
#include <memory>
#include <span>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "nn/train/training_device.hpp"

namespace weir::compute::vulkan {
class FaultInjector;
class Instance;
struct DeviceInfo;
}  // namespace weir::compute::vulkan

namespace weir::nn::train {

class VulkanExecutor;

struct VulkanTrainingSettings {
  int max_commands = 100;                 ///< of a submission
  std::size_t max_idle = 50;              ///< blocks of memory of one size that are kept for reuse
  Bytes memory_limit{~std::uint64_t{0}};  ///< the line on the device's memory
  /// Stands between weir and the driver; for tests. Must outlive the device.
  compute::vulkan::FaultInjector* fault_injector = nullptr;
};

/// A Vulkan device: each command is one or a few runs of the kernels in compute/kernels/training. Sums are made in an order
/// that the sizes alone decide, so the bits are the same each time on the same device and driver; other devices round
/// otherwise. A block of memory is 64 KiB at least. Two commands never wait for each other on the host; read() does, and
/// sync(). What the driver refuses (device_lost, over_budget) is the error of all that follows; where memory for what lies
/// between is over the line nothing was recorded, and it may be tried again.
class VulkanTrainingDevice final : public TrainingDevice {
 public:
  /// Errors: those of opening the device.
  static Result<std::unique_ptr<VulkanTrainingDevice>> open(std::shared_ptr<compute::vulkan::Instance> instance,
                                                            const compute::vulkan::DeviceInfo& info,
                                                            VulkanTrainingSettings settings = {});
  ~VulkanTrainingDevice() override;

  Status record(const Command& command) override;
  Status flush() override;
  Status sync() override;
  Status write(Operand to, std::span<const float> from) override;
  Status read(Operand from, std::span<float> to) override;
  void cleanup() override;
  /// Commands are runs of kernels, copies and the like; memory is the device's and the host's that it reads.
  TrainingDeviceStatistics statistics() const override;

 private:
  explicit VulkanTrainingDevice(std::unique_ptr<VulkanExecutor> executor);
  Result<Block> allocate(std::size_t count) override;
  void give_back(Block block) override;

  std::unique_ptr<VulkanExecutor> executor_;
};

}  // namespace weir::nn::train
