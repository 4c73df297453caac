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
  int max_commands = 100;                 ///< largest number of kernel runs, copies and fills in one submission
  std::size_t max_idle = 50;              ///< largest number of idle memory blocks of one size that are kept for reuse
  Bytes memory_limit{~std::uint64_t{0}};  ///< limit of the device's memory
  /// Makes calls of the driver fail, for tests; must outlive the device. Null: no call fails on purpose.
  compute::vulkan::FaultInjector* fault_injector = nullptr;
};

/// Trains on a Vulkan device. Each command becomes one or a few runs of the kernels (shaders) in
/// compute/kernels/training. The sizes alone determine the order of the additions in a sum, so results are
/// bit-identical each time on the same device and driver; other devices round differently. A memory block has at least
/// 64 KiB. read(), sync() and cleanup() wait for the device. An error of the driver during recording or execution
/// (device_lost, over_budget, unsupported) is permanent: record(), flush(), sync(), write() and read() fail from then
/// on. One kind of over_budget is not permanent: memory for an array, for intermediate results or for a transfer cannot
/// be allocated. Then no array has changed, and the call may be repeated.
class VulkanTrainingDevice final : public TrainingDevice {
 public:
  /// Opens the device. Errors: those of opening a Vulkan device.
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
  /// Returns the statistics. The numbers of commands count kernel runs, copies, fills, and the barriers after copies to
  /// the host. The memory includes the host memory that the device accesses.
  TrainingDeviceStatistics statistics() const override;

 private:
  explicit VulkanTrainingDevice(std::unique_ptr<VulkanExecutor> executor);
  Result<Block> allocate(std::size_t count) override;
  void give_back(Block block) override;

  std::unique_ptr<VulkanExecutor> executor_;
};

}  // namespace weir::nn::train
