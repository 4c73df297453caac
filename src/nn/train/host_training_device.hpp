#pragma once

#include <cstddef>
#include <vector>

#include "compute/host_pool.hpp"
#include "nn/train/training_device.hpp"

namespace weir::nn::train {

struct HostDeviceSettings {
  std::size_t max_commands = 100;  ///< of a submission
  compute::HostPoolSettings pool;
};

/// What the devices in the host's memory have in common: the pool, and a list of commands that is done by the calling
/// thread when it is submitted.
class HostTrainingDevice : public TrainingDevice {
 public:
  Status record(const Command& command) final;
  Status flush() final;
  Status sync() final { return flush(); }
  void cleanup() override;
  TrainingDeviceStatistics statistics() const final;

 protected:
  /// `element`: bytes of a value.
  HostTrainingDevice(std::size_t value_bytes, HostDeviceSettings settings)
      : value_bytes_{value_bytes}, settings_{settings}, pool_{settings.pool} {}
  virtual void execute(const Command& command) = 0;

 private:
  Result<Block> allocate(std::size_t count) final;
  void give_back(Block block) final;

  std::size_t value_bytes_;
  HostDeviceSettings settings_;
  compute::HostPool pool_;
  std::vector<Command> commands_;
  std::vector<compute::HostPool::Block> deferred_blocks_;  // given back, and kept until the commands so far are done
  TrainingDeviceStatistics counters_;
};

}  // namespace weir::nn::train
