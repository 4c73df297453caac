#include "nn/train/training_device.hpp"

namespace weir::nn::train {

DeviceArray::~DeviceArray() {
  if (device_ != nullptr) device_->give_back({operand_.memory, size_});
}

Result<DeviceArray> TrainingDevice::acquire(std::size_t count) {
  auto block = allocate(count);
  if (!block) return block.error();
  DeviceArray array;
  array.device_ = this;
  array.operand_ = {block->memory, count};
  array.size_ = block->size;
  return array;
}

}  // namespace weir::nn::train
