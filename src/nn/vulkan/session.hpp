#pragma once

#include <memory>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "compute/vulkan/device.hpp"
#include "compute/vulkan/memory_line.hpp"
#include "compute/vulkan/pool.hpp"
#include "compute/vulkan/stream.hpp"

namespace weir::nn::vulkan {

struct EngineSettings;

/// A device that is open, with its memory and its stream. What is taken from the pool must go before the session does.
class Session {
 public:
  static Result<std::unique_ptr<Session>> open(std::shared_ptr<compute::vulkan::Instance> instance,
                                               const compute::vulkan::DeviceInfo& info, const EngineSettings& settings);

  compute::vulkan::Device& device() { return *device_; }
  compute::vulkan::Pool& pool() { return *pool_; }
  compute::vulkan::Stream& stream() { return *stream_; }
  /// The stream that copies tiles while the other computes; null where that gains nothing: host and device share their
  /// memory, or there is no queue of its own for it.
  compute::vulkan::Stream* copies() { return copies_.get(); }
  /// Nothing has failed so far.
  bool good() const;
  /// Until all commands have ended. Errors: those of the streams.
  Status sync();
  /// Until all that was submitted has ended, whatever has failed before.
  void drain();
  compute::vulkan::MemoryLine& device_line() { return device_line_; }
  compute::vulkan::MemoryLine& host_line() { return host_line_; }

  /// Memory of the device with these bytes in it. Errors: those of pool and stream.
  Result<compute::vulkan::Buffer> upload(std::span<const std::byte> bytes, compute::vulkan::MemoryKind kind);

 private:
  Session() = default;
  // In the order in which they need each other: the stream ends first, the device last.
  std::unique_ptr<compute::vulkan::Device> device_;
  compute::vulkan::MemoryLine device_line_{Bytes{~std::uint64_t{0}}};
  compute::vulkan::MemoryLine host_line_{Bytes{~std::uint64_t{0}}};
  std::unique_ptr<compute::vulkan::Pool> pool_;
  std::unique_ptr<compute::vulkan::Stream> stream_;
  std::unique_ptr<compute::vulkan::Stream> copies_;
};

}  // namespace weir::nn::vulkan
