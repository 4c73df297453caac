#pragma once

#include <memory>
#include <vector>

#include "compute/kernels/kernels.hpp"
#include "compute/team.hpp"
#include "nn/train/host_device.hpp"

namespace weir::nn::train {

/// The processor: kernels of its instruction set, on a team of threads. The result is the same on any number of threads:
/// work is cut into pieces by its size alone, and sums over pieces are added in their order.
class CpuDevice final : public HostDevice {
 public:
  explicit CpuDevice(int threads, HostSettings settings = {},
                     const compute::TrainingKernels& kernels = compute::best_training_kernels());
  ~CpuDevice() override;
  Status write(Operand to, std::span<const float> from) override;
  Status read(Operand from, std::span<float> to) override;
  void cleanup() override;

 private:
  void execute(const Command& command) override;
  struct Work;
  std::unique_ptr<Work> work_;
};

}  // namespace weir::nn::train
