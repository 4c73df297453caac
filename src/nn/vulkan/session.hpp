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

/// An open device with its memory pool and its streams (which record and submit commands). Buffers from the pool must
/// be destroyed before the session. Not thread-safe.
class Session {
 public:
  /// Opens a device. Errors: those of LogicalDevice::open() and of creating the streams.
  static Result<std::unique_ptr<Session>> open(std::shared_ptr<compute::vulkan::Instance> instance,
                                               const compute::vulkan::DeviceInfo& info, const EngineSettings& settings);

  compute::vulkan::LogicalDevice& device() { return *device_; }
  compute::vulkan::BufferPool& pool() { return *pool_; }
  compute::vulkan::Stream& stream() { return *stream_; }
  /// Returns the stream that copies tiles while stream() computes; null if the device has no timeline semaphores.
  /// Unless EngineSettings::always_copy is set, it is also null if copies gain nothing: host and device share their
  /// memory, or there is no separate queue for copies.
  compute::vulkan::Stream* copy_stream() { return copy_stream_.get(); }
  /// Returns true if no call of the streams has failed and the device is not lost.
  bool is_usable() const;
  /// Waits until the device has executed everything recorded so far. Errors: those of Stream::sync().
  Status sync();
  /// Waits until all submissions have ended, also after an error.
  void drain();
  // The limits that the pool charges its blocks to. They are unlimited until the user of the session sets them.
  compute::vulkan::MemoryLimit& device_limit() { return device_limit_; }
  compute::vulkan::MemoryLimit& host_limit() { return host_limit_; }

  /// Allocates memory on the device, copies `bytes` into it and waits for the copy. Errors: those of
  /// BufferPool::acquire() and of Stream.
  Result<compute::vulkan::Buffer> upload(std::span<const std::byte> bytes, compute::vulkan::MemoryKind kind);

 private:
  Session() = default;
  // The order matters: the streams are destroyed first, the device last.
  std::unique_ptr<compute::vulkan::LogicalDevice> device_;
  compute::vulkan::MemoryLimit device_limit_{Bytes{~std::uint64_t{0}}};
  compute::vulkan::MemoryLimit host_limit_{Bytes{~std::uint64_t{0}}};
  std::unique_ptr<compute::vulkan::BufferPool> pool_;
  std::unique_ptr<compute::vulkan::Stream> stream_;
  std::unique_ptr<compute::vulkan::Stream> copy_stream_;
};

}  // namespace weir::nn::vulkan
