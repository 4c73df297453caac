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

/// Sizes as the kernels' constants have them.
inline std::uint32_t to_u32(std::size_t value) { return static_cast<std::uint32_t>(value); }
inline std::uint32_t to_u32(int value) { return static_cast<std::uint32_t>(value); }

inline constexpr std::uint32_t kMaxGroups = 65535;  ///< on an axis, on every device

/// What the commands share on a Vulkan device: memory, the stream, and the few ways to run a kernel. An operand's memory is
/// a compute::vulkan::Buffer.
class VulkanExecutor {
 public:
  using Buffer = compute::vulkan::Buffer;
  using Dispatch = compute::vulkan::Dispatch;
  using Slice = compute::vulkan::Slice;

  /// Errors: those of opening the device.
  static Result<std::unique_ptr<VulkanExecutor>> open(std::shared_ptr<compute::vulkan::Instance> instance,
                                                      const compute::vulkan::DeviceInfo& info,
                                                      const VulkanTrainingSettings& settings);
  ~VulkanExecutor();
  VulkanExecutor(const VulkanExecutor&) = delete;
  VulkanExecutor& operator=(const VulkanExecutor&) = delete;

  /// Memory of the device for so many values. Errors: unsupported if a kernel cannot reach all of it; those of the pool.
  Result<Buffer> acquire(std::size_t count);
  /// Commands recorded before may still use it.
  void release(Buffer buffer);

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

  /// out (+)= factor * the sum of a term of sum_values.comp over a's (and b's) values.
  struct SumJob {
    std::uint32_t term = 0;
    Slice a{}, b{}, out{};
    std::size_t count = 0;
    float epsilon = 0, factor = 1;
    bool accumulate = false;
  };
  Status sum(const SumJob& c);
  /// out[channel] (+)= the sum of a term of sum_rows.comp over rows.
  struct RowSumJob {
    std::uint32_t term = 0;
    Slice a{}, b{}, out{};
    std::size_t rows = 0, channels = 0;
    bool accumulate = false;
  };
  Status sum_rows(const RowSumJob& c);

  /// Runs a kernel whose invocations take one of `count` units each, in turns if they are very many.
  Status run_per_element(Dispatch& dispatch, std::size_t count);
  Status run(const Dispatch& dispatch);

  static Slice slice(Operand operand);
  class ScratchBuffer;

 private:
  VulkanExecutor() = default;
  struct ProductJob;
  Status run_product(ProductJob& f);
  Status run_product_in_parts(ProductJob& f, std::uint32_t parts);
  Status run_product_tiles(ProductJob& f, std::uint32_t parts);
  /// Until no command uses any memory, come what may.
  void wait_until_idle();
  /// `done` of a call that may have ended a submission.
  Status count_submission(Status done);

  // In the order in which they need each other: the stream ends first, the device last.
  std::unique_ptr<compute::vulkan::LogicalDevice> device_;
  compute::vulkan::MemoryLimit device_limit_{Bytes{}};
  compute::vulkan::MemoryLimit host_limit_{Bytes{~std::uint64_t{0}}};
  std::unique_ptr<compute::vulkan::BufferPool> pool_;
  std::unique_ptr<compute::vulkan::Stream> stream_;
  std::uint64_t max_submission_commands_ = 0, commands_at_submission_ = 0, submissions_ = 0;
  bool busy_ = false;  // something was recorded since the last sync
};

/// Memory between the commands of which one is made.
class VulkanExecutor::ScratchBuffer {
 public:
  ScratchBuffer(VulkanExecutor& executor, Buffer buffer) : executor_{executor}, buffer_{std::move(buffer)} {}
  ~ScratchBuffer() { executor_.release(std::move(buffer_)); }
  ScratchBuffer(const ScratchBuffer&) = delete;
  ScratchBuffer& operator=(const ScratchBuffer&) = delete;
  Slice slice(std::size_t count) const { return {buffer_.handle(), 0, count * sizeof(float)}; }

 private:
  VulkanExecutor& executor_;
  Buffer buffer_;
};

}  // namespace weir::nn::train
