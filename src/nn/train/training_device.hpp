#pragma once

#include <cstdint>
#include <span>
#include <utility>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "nn/train/command.hpp"

namespace weir::nn::train {

class TrainingDevice;

/// Values in a device's memory, given back to it when destroyed. The device must outlive it. Moves, does not copy.
class DeviceArray {
 public:
  DeviceArray() = default;
  DeviceArray(DeviceArray&& other) noexcept { *this = std::move(other); }
  DeviceArray& operator=(DeviceArray&& other) noexcept {
    std::swap(device_, other.device_);
    std::swap(operand_, other.operand_);
    std::swap(size_, other.size_);
    return *this;
  }
  ~DeviceArray();
  Operand operand() const { return operand_; }
  explicit operator bool() const { return device_ != nullptr; }

 private:
  friend class TrainingDevice;
  TrainingDevice* device_ = nullptr;
  Operand operand_;
  Bytes size_;  // of the block
};

struct TrainingDeviceStatistics {
  Bytes allocated, in_use, idle, peak;
  std::uint64_t max_idle_blocks = 0;  ///< blocks of one size class, ever
  std::uint64_t commands = 0, submissions = 0;
  std::uint64_t max_submission_commands = 0;  ///< of a submission, ever
};

/// Where a network is trained: memory in a pool (at most 50 idle blocks of a size class), and a stream of commands that is
/// submitted by itself after 100. Commands take effect in the order in which they were recorded, and so do write() and
/// read(); memory that is given back may still be used by commands recorded before. Not thread-safe.
class TrainingDevice {
 public:
  virtual ~TrainingDevice() = default;

  /// Contents are undefined. Errors: over_budget, with the numbers; device_lost.
  Result<DeviceArray> acquire(std::size_t count);
  /// Errors, of all that follow: those of the device, once and for all later calls.
  virtual Status record(const Command& command) = 0;
  /// Submits what was recorded.
  virtual Status flush() = 0;
  /// Until all that was recorded has been done.
  virtual Status sync() = 0;
  /// As many values as `to` has, or `from`; at most the operand's.
  virtual Status write(Operand to, std::span<const float> from) = 0;
  virtual Status read(Operand from, std::span<float> to) = 0;
  /// Ends what was recorded and gives all idle memory back. May be called at any time, and again.
  virtual void cleanup() = 0;
  virtual TrainingDeviceStatistics statistics() const = 0;

 protected:
  struct Block {
    void* memory = nullptr;
    Bytes size;
  };
  virtual Result<Block> allocate(std::size_t count) = 0;
  virtual void give_back(Block block) = 0;

 private:
  friend class DeviceArray;
};

}  // namespace weir::nn::train
