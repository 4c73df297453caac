#pragma once

#include <cstdint>
#include <span>
#include <utility>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "nn/train/command.hpp"

namespace weir::nn::train {

class TrainingDevice;

/// An array of values in the memory of a training device. The destructor gives the memory back to the device, which
/// must outlive the array. Can be moved, not copied.
class DeviceArray {
 public:
  /// Makes an empty array: it has no values and no device.
  DeviceArray() = default;
  DeviceArray(DeviceArray&& other) noexcept { *this = std::move(other); }
  /// Exchanges the two arrays.
  DeviceArray& operator=(DeviceArray&& other) noexcept {
    std::swap(device_, other.device_);
    std::swap(operand_, other.operand_);
    std::swap(size_, other.size_);
    return *this;
  }
  ~DeviceArray();
  /// Returns a reference to the array, for commands, write() and read(). It does not own the array.
  Operand operand() const { return operand_; }
  /// Returns false for an empty array.
  explicit operator bool() const { return device_ != nullptr; }

 private:
  friend class TrainingDevice;
  TrainingDevice* device_ = nullptr;
  Operand operand_;
  Bytes size_;  // size of the memory block
};

/// The use of memory and of the command list since the device was opened. The memory pool rounds the size of each block
/// up; blocks of the same rounded size are a size class.
struct TrainingDeviceStatistics {
  Bytes allocated,                    ///< memory that the device's memory pool holds now
      in_use,                         ///< part of `allocated` that arrays use now
      idle,                           ///< part of `allocated` that is kept for reuse
      peak;                           ///< largest value of `allocated` so far
  std::uint64_t max_idle_blocks = 0;  ///< largest number of idle blocks of one size class so far
  /// On the CPU: number of recorded commands. On a GPU: number of the Vulkan commands that they became, one or more of
  /// each: kernel runs, copies, fills, and the barriers that make copies visible to the host.
  std::uint64_t commands = 0;
  std::uint64_t submissions = 0;              ///< number of times that a list was submitted
  std::uint64_t max_submission_commands = 0;  ///< largest number of commands in one submission so far
};

/// A device that executes the commands of a training: the CPU or a GPU. It has a memory pool, which keeps freed blocks
/// for reuse (by default at most 50 idle blocks of each size class), and a list of recorded commands, which it submits
/// for execution when the list is full (by default at 100 commands). Commands, write() and read() take effect in the
/// order of the calls. An array may be destroyed while commands that were recorded earlier still use its memory.
/// Not thread-safe.
class TrainingDevice {
 public:
  virtual ~TrainingDevice() = default;

  /// Allocates an array of `count` values; its contents are undefined. Errors: over_budget, with the number of bytes;
  /// unsupported if the kernels of a GPU cannot access so large an array; device_lost.
  Result<DeviceArray> acquire(std::size_t count);
  /// Records a command. The device executes it when the list is submitted.
  /// Errors of this and the following functions are of two kinds. over_budget, if memory for intermediate results or for
  /// a transfer cannot be allocated: the call has changed no array and may be repeated. device_lost, unsupported, or
  /// another over_budget, if a GPU's driver fails while it records or executes: all later calls of these functions fail
  /// too. Devices in the host's memory return no errors.
  virtual Status record(const Command& command) = 0;
  /// Submits the recorded commands; does not wait for a GPU.
  virtual Status flush() = 0;
  /// Waits until the device has executed everything recorded so far.
  virtual Status sync() = 0;
  /// Writes `from.size()` values to the start of `to`; `from.size()` must not exceed `to.count`.
  virtual Status write(Operand to, std::span<const float> from) = 0;
  /// Waits for all commands recorded so far and reads the first `to.size()` values of `from`; `to.size()` must
  /// not exceed `from.count`.
  virtual Status read(Operand from, std::span<float> to) = 0;
  /// Waits for the recorded commands and returns all idle memory to the system or the driver. May be called at any time
  /// and repeatedly.
  virtual void cleanup() = 0;
  virtual TrainingDeviceStatistics statistics() const = 0;

 protected:
  struct Block {
    void* memory = nullptr;
    Bytes size;
  };
  /// Takes a block for `count` values from the pool. Errors: as acquire().
  virtual Result<Block> allocate(std::size_t count) = 0;
  /// Gives a block back to the pool. Commands recorded so far may still use it.
  virtual void give_back(Block block) = 0;

 private:
  friend class DeviceArray;
};

}  // namespace weir::nn::train
