#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>

#include "compute/vulkan/device.hpp"
#include "compute/vulkan/memory_line.hpp"
#include "compute/vulkan/pool.hpp"
#include "compute/vulkan/stream.hpp"
#include "nn/train/command.hpp"
#include "nn/train/vulkan/vulkan_device.hpp"

namespace weir::nn::train {

/// Sizes as the kernels' constants have them.
inline std::uint32_t word(std::size_t value) { return static_cast<std::uint32_t>(value); }
inline std::uint32_t word(int value) { return static_cast<std::uint32_t>(value); }

inline constexpr std::uint32_t kMostGroups = 65535;  ///< on an axis, on every device

/// What the commands share on a Vulkan device: memory, the stream, and the few ways to run a kernel. An operand's memory is
/// a compute::vulkan::Buffer.
class VulkanWork {
 public:
  using Buffer = compute::vulkan::Buffer;
  using Dispatch = compute::vulkan::Dispatch;
  using Slice = compute::vulkan::Slice;

  /// Errors: those of opening the device.
  static Result<std::unique_ptr<VulkanWork>> open(std::shared_ptr<compute::vulkan::Instance> instance,
                                                  const compute::vulkan::DeviceInfo& info,
                                                  const VulkanSettings& settings);
  ~VulkanWork();
  VulkanWork(const VulkanWork&) = delete;
  VulkanWork& operator=(const VulkanWork&) = delete;

  /// Memory of the device for so many values. Errors: unsupported if a kernel cannot reach all of it; those of the pool.
  Result<Buffer> take(std::size_t count);
  /// Commands recorded before may still use it.
  void retire(Buffer buffer);

  Status fill(const Fill& c);
  Status write(Slice to, std::span<const float> from);
  Status read(Slice from, std::span<float> to);
  Status flush();
  Status sync();
  void cleanup();
  DeviceStatistics statistics() const;

  Status product(const Product& c);
  Status convolve(const Convolve& c);
  Status convolve_back(const ConvolveBack& c);
  Status convolve_weights(const ConvolveWeights& c);

  /// out (+)= factor * the sum of a term of sum_values.comp over a's (and b's) values.
  struct Sum {
    std::uint32_t term = 0;
    Slice a{}, b{}, out{};
    std::size_t count = 0;
    float epsilon = 0, factor = 1;
    bool accumulate = false;
  };
  Status sum(const Sum& c);
  /// out[channel] (+)= the sum of a term of sum_rows.comp over rows.
  struct RowsSum {
    std::uint32_t term = 0;
    Slice a{}, b{}, out{};
    std::size_t rows = 0, channels = 0;
    bool accumulate = false;
  };
  Status sum_rows(const RowsSum& c);

  /// Runs a kernel whose invocations take one of `count` units each, in turns if they are very many.
  Status run_over(Dispatch& dispatch, std::size_t count);
  Status run(const Dispatch& dispatch);

  static Slice slice(Operand operand);
  class Between;

 private:
  VulkanWork() = default;
  struct Factors;
  Status multiply(Factors& f);
  Status multiply_in_parts(Factors& f, std::uint32_t parts);
  Status multiply_tiles(Factors& f, std::uint32_t parts);
  /// Until no command uses any memory, come what may.
  void end_all();
  /// `done` of a call that may have ended a submission.
  Status counted(Status done);

  // In the order in which they need each other: the stream ends first, the device last.
  std::unique_ptr<compute::vulkan::Device> device_;
  compute::vulkan::MemoryLine device_line_{Bytes{}};
  compute::vulkan::MemoryLine host_line_{Bytes{~std::uint64_t{0}}};
  std::unique_ptr<compute::vulkan::Pool> pool_;
  std::unique_ptr<compute::vulkan::Stream> stream_;
  std::uint64_t most_commands_ = 0, commands_before_ = 0, submissions_ = 0;
  bool busy_ = false;  // something was recorded since the last sync
};

/// Memory between the commands of which one is made.
class VulkanWork::Between {
 public:
  Between(VulkanWork& work, Buffer buffer) : work_{work}, buffer_{std::move(buffer)} {}
  ~Between() { work_.retire(std::move(buffer_)); }
  Between(const Between&) = delete;
  Between& operator=(const Between&) = delete;
  Slice slice(std::size_t count) const { return {buffer_.handle(), 0, count * sizeof(float)}; }

 private:
  VulkanWork& work_;
  Buffer buffer_;
};

}  // namespace weir::nn::train
