#pragma once

#include "nn/train/host_training_device.hpp"

namespace weir::nn::train {

/// The reference implementation: executes every command in plain loops over T (float or double), on one thread. It
/// defines what the commands compute, and the tests compare the other devices with it. The memory of an operand is an
/// array of T.
template <class T>
class ReferenceTrainingDevice final : public HostTrainingDevice {
 public:
  explicit ReferenceTrainingDevice(HostDeviceSettings settings = {}) : HostTrainingDevice{sizeof(T), settings} {}
  Status write(Operand to, std::span<const float> from) override;
  Status read(Operand from, std::span<float> to) override;

 private:
  void execute(const Command& command) override;
};
extern template class ReferenceTrainingDevice<float>;
extern template class ReferenceTrainingDevice<double>;

}  // namespace weir::nn::train
