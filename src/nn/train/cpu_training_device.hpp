#pragma once

#include <memory>
#include <vector>

#include "compute/kernels/kernels.hpp"
#include "compute/thread_team.hpp"
#include "nn/train/host_training_device.hpp"

namespace weir::nn::train {

/// Trains on the CPU, with the kernels of one instruction set and a team of threads. The memory of an operand is an
/// array of float. The number of threads does not change the result: the sizes of the operands alone determine how a
/// sum is divided into parts, and the parts are always added in the same order.
class CpuTrainingDevice final : public HostTrainingDevice {
 public:
  /// `threads` includes the calling thread and is at least 1. `kernels` must outlive the device.
  explicit CpuTrainingDevice(int threads, HostDeviceSettings settings = {},
                             const compute::TrainingKernels& kernels = compute::best_training_kernels());
  ~CpuTrainingDevice() override;
  Status write(Operand to, std::span<const float> from) override;
  Status read(Operand from, std::span<float> to) override;
  void cleanup() override;

 private:
  void execute(const Command& command) override;
  struct Executor;  // a CpuExecutor
  std::unique_ptr<Executor> executor_;
};

}  // namespace weir::nn::train
