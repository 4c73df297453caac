#include "nn/train/device.hpp"

namespace weir::nn::train {

Storage::~Storage() {
  if (device_ != nullptr) device_->give_back({operand_.memory, size_});
}

Result<Storage> Device::acquire(std::size_t count) {
  auto block = allocate(count);
  if (!block) return block.error();
  Storage storage;
  storage.device_ = this;
  storage.operand_ = {block->memory, count};
  storage.size_ = block->size;
  return storage;
}

}  // namespace weir::nn::train
