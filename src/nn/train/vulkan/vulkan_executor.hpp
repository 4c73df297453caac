#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>

#include "compute/vulkan/buffer_pool.hpp"
#include "compute/vulkan/logical_device.hpp"
#include "compute/vulkan/memory_limit.hpp"
#include "compute/vulkan/stream.hpp"
#include "nn/train/command.hpp"
#include "nn/train/vulkan/vulkan_training_device.hpp"

namespace weir::nn::train {

/// Converts a size to the type of the kernels' constants.
inline std::uint32_t to_u32(std::size_t value) { return static_cast<std::uint32_t>(value); }
inline std::uint32_t to_u32(int value) { return static_cast<std::uint32_t>(value); }

inline constexpr std::uint32_t kMaxGroups = 65535;  ///< workgroups per axis that every Vulkan device supports

/// Records commands on a Vulkan device, as runs of compute kernels (shaders). It holds the device, its memory pool and
/// the stream that the runs are recorded on. `Operand::memory` points to a compute::vulkan::Buffer. A slice is a part
/// of a buffer.
class VulkanExecutor {
 public:
  using Buffer = compute::vulkan::Buffer;
  using Dispatch = compute::vulkan::Dispatch;
  using Slice = compute::vulkan::Slice;

  /// Opens the device. Errors: those of LogicalDevice::open() and Stream::create().
  static Result<std::unique_ptr<VulkanExecutor>> open(std::shared_ptr<compute::vulkan::Instance> instance,
                                                      const compute::vulkan::DeviceInfo& info,
                                                      const VulkanTrainingSettings& settings);
  ~VulkanExecutor();
  VulkanExecutor(const VulkanExecutor&) = delete;
  VulkanExecutor& operator=(const VulkanExecutor&) = delete;

  /// Allocates device memory for `count` values. Errors: unsupported if it is larger than a kernel can access; those of
  /// the pool.
  Result<Buffer> acquire(std::size_t count);
  /// Gives a buffer back to the pool. Commands recorded so far may still use it.
  void release(Buffer buffer);

  // These implement the functions of VulkanTrainingDevice. A function with a command as its argument records the
  // command.
  // Errors: those of the pool and of the stream.
  Status fill(const FillCommand& c);
  Status write(Slice to, std::span<const float> from);
  Status read(Slice from, std::span<float> to);
  Status flush();
  Status sync();
  void cleanup();
  TrainingDeviceStatistics statistics() const;

  Status product(const MatrixProductCommand& c);
  Status convolve(const ConvolveCommand& c);
  Status convolve_back(const ConvolveBackCommand& c);
  Status convolve_weights_back(const ConvolveWeightsBackCommand& c);

  /// out[0] (+)= factor * the sum over i of term(a[i], b[i]). sum_values.comp defines the terms; some do not need `b`.
  struct SumJob {
    std::uint32_t term = 0;  ///< index of the term in sum_values.comp; 0: a[i]
    Slice a{}, b{}, out{};
    std::size_t count = 0;
    float epsilon = 0, factor = 1;
    bool accumulate = false;
  };
  Status sum(const SumJob& job);
  /// out[channel] (+)= the sum over all rows of term(a[row][channel], b[row][channel]). sum_rows.comp defines the
  /// terms; term 0 is `a` and does not need `b`.
  struct RowSumJob {
    std::uint32_t term = 0;
    Slice a{}, b{}, out{};
    std::size_t rows = 0, channels = 0;
    bool accumulate = false;
  };
  Status sum_rows(const RowSumJob& job);

  /// Sets the number of workgroups so that there is one invocation (GPU thread) for each of `count` elements, and
  /// records the run. If this needs more than kMaxGroups workgroups, an invocation handles several elements.
  Status run_per_element(Dispatch& dispatch, std::size_t count);
  /// Records a kernel run.
  Status run(const Dispatch& dispatch);

  /// Returns the part of the buffer that has the operand's values.
  static Slice slice(Operand operand);
  class ScratchBuffer;

 private:
  VulkanExecutor() = default;
  struct ProductJob;
  // run_product() records a matrix product. If the sum over the inner dimension is long, it is divided into parts
  // (run_product_in_parts). run_product_tiles() records the kernel runs that compute the tiles of the result.
  Status run_product(ProductJob& job);
  Status run_product_in_parts(ProductJob& job, std::uint32_t parts);
  Status run_product_tiles(ProductJob& job, std::uint32_t parts);
  /// Waits until the device executes no command, also after an error. Returns at once if the device is lost.
  void wait_until_idle();
  /// Updates max_submission_commands_ after a call that may have submitted commands. Returns the argument, the result
  /// of that call.
  Status update_submission_statistics(Status done);

  // The order matters: members are destroyed in reverse order, and each needs the ones before it.
  std::unique_ptr<compute::vulkan::LogicalDevice> device_;
  compute::vulkan::MemoryLimit device_limit_{Bytes{}};
  compute::vulkan::MemoryLimit host_limit_{Bytes{~std::uint64_t{0}}};
  std::unique_ptr<compute::vulkan::BufferPool> pool_;
  std::unique_ptr<compute::vulkan::Stream> stream_;
  std::uint64_t max_submission_commands_ = 0, commands_at_submission_ = 0, submissions_ = 0;
  bool busy_ = false;  // something was recorded since the last sync
};

/// Memory for intermediate results between the kernel runs of one command. The destructor gives it back to the pool.
class VulkanExecutor::ScratchBuffer {
 public:
  ScratchBuffer(VulkanExecutor& executor, Buffer buffer) : executor_{executor}, buffer_{std::move(buffer)} {}
  ~ScratchBuffer() { executor_.release(std::move(buffer_)); }
  ScratchBuffer(const ScratchBuffer&) = delete;
  ScratchBuffer& operator=(const ScratchBuffer&) = delete;
  /// Returns the first `count` values.
  Slice slice(std::size_t count) const { return {buffer_.handle(), 0, count * sizeof(float)}; }

 private:
  VulkanExecutor& executor_;
  Buffer buffer_;
};

}  // namespace weir::nn::train
