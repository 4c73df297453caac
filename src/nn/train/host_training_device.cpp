#include "nn/train/host_training_device.hpp"

#include <algorithm>

namespace weir::nn::train {

Status HostTrainingDevice::record(const Command& command) {
  commands_.push_back(command);
  ++counters_.commands;
  return commands_.size() >= settings_.max_commands ? flush() : ok();
}

Status HostTrainingDevice::flush() {
  if (commands_.empty()) return ok();
  ++counters_.submissions;
  counters_.max_submission_commands = std::max<std::uint64_t>(counters_.max_submission_commands, commands_.size());
  for (const Command& command : commands_) execute(command);
  commands_.clear();
  for (const compute::HostPool::Block& block : deferred_blocks_) pool_.give_back(block);
  deferred_blocks_.clear();
  return ok();
}

Result<TrainingDevice::Block> HostTrainingDevice::allocate(std::size_t count) {
  // The kernels read up to one vector after the last value (compute::kProductPadding).
  const Bytes size = Bytes{count} * value_bytes_ + Bytes{compute::kProductPadding * sizeof(float)};
  if (pool_.needs_cleanup(size)) (void)flush();  // the pool will free memory that recorded commands may use
  auto block = pool_.acquire(size);
  if (!block) return block.error();
  return Block{block->memory, block->size};
}

void HostTrainingDevice::give_back(Block block) {
  const compute::HostPool::Block memory{block.memory, block.size};
  if (!commands_.empty() && pool_.is_class_full(memory)) {
    deferred_blocks_.push_back(memory);  // the pool would free the block, which a recorded command may use
  } else {
    pool_.give_back(memory);
  }
}

void HostTrainingDevice::cleanup() {
  (void)flush();
  pool_.cleanup();
  std::vector<Command>{}.swap(commands_);
  std::vector<compute::HostPool::Block>{}.swap(deferred_blocks_);
}

TrainingDeviceStatistics HostTrainingDevice::statistics() const {
  const compute::HostPoolStatistics pool = pool_.statistics();
  TrainingDeviceStatistics result = counters_;
  result.allocated = pool.allocated;
  result.in_use = pool.in_use;
  result.idle = pool.idle;
  result.peak = pool.peak;
  result.max_idle_blocks = pool.peak_idle;
  return result;
}

}  // namespace weir::nn::train
