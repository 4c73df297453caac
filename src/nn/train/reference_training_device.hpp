#pragma once

#include "nn/train/host_training_device.hpp"

namespace weir::nn::train {

/// Every command in plain loops of T (float or double), on one thread: the definition, and what every faster device is
/// compared with. The memory of an operand is an array of T.
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
