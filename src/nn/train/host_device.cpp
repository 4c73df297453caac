#include "nn/train/host_device.hpp"

#include <algorithm>

namespace weir::nn::train {

Status HostDevice::record(const Command& command) {
  commands_.push_back(command);
  ++counted_.commands;
  return commands_.size() >= settings_.max_commands ? flush() : ok();
}

Status HostDevice::flush() {
  if (commands_.empty()) return ok();
  ++counted_.submissions;
  counted_.most_commands = std::max<std::uint64_t>(counted_.most_commands, commands_.size());
  for (const Command& command : commands_) execute(command);
  commands_.clear();
  for (const compute::HostPool::Block& block : late_) pool_.give_back(block);
  late_.clear();
  return ok();
}

Result<Device::Block> HostDevice::allocate(std::size_t count) {
  // The kernels read a vector beyond the end (compute::kPadding).
  const Bytes size = Bytes{count} * element_ + Bytes{compute::kPadding * sizeof(float)};
  if (pool_.needs_room(size)) (void)flush();  // memory goes back to the system only when no command uses it any more
  auto block = pool_.acquire(size);
  if (!block) return block.error();
  return Block{block->memory, block->size};
}

void HostDevice::give_back(Block block) {
  const compute::HostPool::Block memory{block.memory, block.size};
  if (!commands_.empty() && pool_.is_full(memory)) {
    late_.push_back(memory);  // would free memory that a command may still use
  } else {
    pool_.give_back(memory);
  }
}

void HostDevice::cleanup() {
  (void)flush();
  pool_.cleanup();
  std::vector<Command>{}.swap(commands_);
  std::vector<compute::HostPool::Block>{}.swap(late_);
}

DeviceStatistics HostDevice::statistics() const {
  const compute::HostPoolStatistics pool = pool_.statistics();
  DeviceStatistics all = counted_;
  all.allocated = pool.allocated;
  all.in_use = pool.in_use;
  all.idle = pool.idle;
  all.peak = pool.peak;
  all.most_idle = pool.most_idle;
  return all;
}

}  // namespace weir::nn::train
