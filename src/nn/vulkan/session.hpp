#pragma once

#include <memory>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "compute/vulkan/buffer_pool.hpp"
#include "compute/vulkan/logical_device.hpp"
#include "compute/vulkan/memory_limit.hpp"
#include "compute/vulkan/stream.hpp"

namespace weir::nn::vulkan {

struct EngineSettings;

/// A device that is open, with its memory and its stream. What is taken from the pool must go before the session does.
class Session {
 public:
  static Result<std::unique_ptr<Session>> open(std::shared_ptr<compute::vulkan::Instance> instance,
                                               const compute::vulkan::DeviceInfo& info, const EngineSettings& settings);

  compute::vulkan::LogicalDevice& device() { return *device_; }
  compute::vulkan::BufferPool& pool() { return *pool_; }
  compute::vulkan::Stream& stream() { return *stream_; }
  /// The stream that copies tiles while the other computes; null where that gains nothing: host and device share their
  /// memory, or there is no queue of its own for it.
  compute::vulkan::Stream* copy_stream() { return copy_stream_.get(); }
  /// Nothing has failed so far.
  bool is_usable() const;
  /// Until all commands have ended. Errors: those of the streams.
  Status sync();
  /// Until all that was submitted has ended, whatever has failed before.
  void drain();
  compute::vulkan::MemoryLimit& device_limit() { return device_limit_; }
  compute::vulkan::MemoryLimit& host_limit() { return host_limit_; }

  /// Memory of the device with these bytes in it. Errors: those of pool and stream.
  Result<compute::vulkan::Buffer> upload(std::span<const std::byte> bytes, compute::vulkan::MemoryKind kind);

 private:
  Session() = default;
  // In the order in which they need each other: the stream ends first, the device last.
  std::unique_ptr<compute::vulkan::LogicalDevice> device_;
  compute::vulkan::MemoryLimit device_limit_{Bytes{~std::uint64_t{0}}};
  compute::vulkan::MemoryLimit host_limit_{Bytes{~std::uint64_t{0}}};
  std::unique_ptr<compute::vulkan::BufferPool> pool_;
  std::unique_ptr<compute::vulkan::Stream> stream_;
  std::unique_ptr<compute::vulkan::Stream> copy_stream_;
};

}  // namespace weir::nn::vulkan
