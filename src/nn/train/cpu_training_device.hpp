#pragma once

#include <memory>
#include <vector>

#include "compute/kernels/kernels.hpp"
#include "compute/thread_team.hpp"
#include "nn/train/host_training_device.hpp"

namespace weir::nn::train {

/// The processor: kernels of its instruction set, on a team of threads. The result is the same on any number of threads:
/// work is cut into pieces by its size alone, and sums over pieces are added in their order.
class CpuTrainingDevice final : public HostTrainingDevice {
 public:
  explicit CpuTrainingDevice(int threads, HostDeviceSettings settings = {},
                             const compute::TrainingKernels& kernels = compute::best_training_kernels());
  ~CpuTrainingDevice() override;
  Status write(Operand to, std::span<const float> from) override;
  Status read(Operand from, std::span<float> to) override;
  void cleanup() override;

 private:
  void execute(const Command& command) override;
  struct Executor;
  std::unique_ptr<Executor> executor_;
};

}  // namespace weir::nn::train
