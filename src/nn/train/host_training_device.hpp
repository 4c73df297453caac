#pragma once

#include <cstddef>
#include <vector>

#include "compute/host_pool.hpp"
#include "nn/train/training_device.hpp"

namespace weir::nn::train {

struct HostDeviceSettings {
  std::size_t max_commands = 100;  ///< the list of recorded commands is executed when it has this length
  compute::HostPoolSettings pool;
};

/// The common base of the training devices that use the host's memory. It has the memory pool and the list of recorded
/// commands. flush() executes the list before it returns.
class HostTrainingDevice : public TrainingDevice {
 public:
  Status record(const Command& command) final;
  Status flush() final;
  Status sync() final { return flush(); }
  void cleanup() override;
  TrainingDeviceStatistics statistics() const final;

 protected:
  /// `value_bytes` is the size of one value in bytes.
  HostTrainingDevice(std::size_t value_bytes, HostDeviceSettings settings)
      : value_bytes_{value_bytes}, settings_{settings}, pool_{settings.pool} {}
  /// Executes one command before it returns.
  virtual void execute(const Command& command) = 0;

 private:
  Result<Block> allocate(std::size_t count) final;
  void give_back(Block block) final;

  std::size_t value_bytes_;
  HostDeviceSettings settings_;
  compute::HostPool pool_;
  std::vector<Command> commands_;
  std::vector<compute::HostPool::Block> deferred_blocks_;  // given to the pool after the recorded commands are executed
  TrainingDeviceStatistics counters_;                      // only its counts of commands and submissions are used
};

}  // namespace weir::nn::train
