#pragma once

#include "nn/train/host_device.hpp"

namespace weir::nn::train {

/// Every command in plain loops of T (float or double), on one thread: the definition, and what every faster device is
/// compared with. The memory of an operand is an array of T.
template <class T>
class ReferenceDevice final : public HostDevice {
 public:
  explicit ReferenceDevice(HostSettings settings = {}) : HostDevice{sizeof(T), settings} {}
  Status write(Operand to, std::span<const float> from) override;
  Status read(Operand from, std::span<float> to) override;

 private:
  void execute(const Command& command) override;
};
extern template class ReferenceDevice<float>;
extern template class ReferenceDevice<double>;

}  // namespace weir::nn::train
