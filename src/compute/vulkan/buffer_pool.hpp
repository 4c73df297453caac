#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <utility>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "compute/vulkan/logical_device.hpp"
#include "compute/vulkan/memory_limit.hpp"

namespace weir::compute::vulkan {

class BufferPool;

/// Memory taken from a pool; goes back to it when destroyed. The pool must outlive it. Moves, does not copy.
class Buffer {
 public:
  Buffer() = default;
  Buffer(Buffer&& other) noexcept;
  Buffer& operator=(Buffer&& other) noexcept;
  ~Buffer();

  VkBuffer handle() const { return block_.buffer; }
  Bytes size() const { return block_.size; }       ///< at least what was asked for
  std::byte* host() const { return block_.host; }  ///< null for Where::device
  explicit operator bool() const { return pool_ != nullptr; }

 private:
  friend class BufferPool;
  Buffer(BufferPool& pool, const MemoryBlock& block, MemoryKind kind, MemoryUsage usage)
      : pool_{&pool}, block_{block}, kind_{kind}, usage_{usage} {}
  BufferPool* pool_ = nullptr;
  MemoryBlock block_;
  MemoryKind kind_ = MemoryKind::activations;
  MemoryUsage usage_ = MemoryUsage::device;
  bool bypasses_pool_ = false;  // goes to the driver, not to the pool
};

/// Some bytes of a buffer; a view. The offset is a multiple of kSliceAlignment.
struct Slice {
  VkBuffer buffer = VK_NULL_HANDLE;
  std::uint64_t offset = 0, size = 0;
};
inline constexpr std::uint64_t kSliceAlignment = 256;  // no driver may ask for more
inline Slice slice_of(const Buffer& buffer) { return {buffer.handle(), 0, buffer.size().count()}; }

struct BufferPoolSettings {
  std::size_t max_idle = 50;  ///< `pool.max-idle`: idle blocks kept of each size
  /// Called before idle blocks go to the driver, for an owner that gives back what commands under way still use: it waits
  /// for them. May give back more.
  std::function<void()> before_cleanup = {};
};

struct BufferPoolStatistics {
  Bytes allocated;  ///< from the driver, in use or idle
  Bytes in_use;
  Bytes idle;
  Bytes peak;  ///< of allocated
  std::uint64_t hits = 0, misses = 0;
  std::uint64_t peak_idle = 0;  ///< blocks of one size, ever
};

/// Keeps freed blocks of a device's memory for reuse, in classes of size. Charges what the driver gave, idle or not, to
/// the line of the memory that it came from. Not thread-safe: one pool per stream. Device and lines must outlive it.
class BufferPool {
 public:
  BufferPool(LogicalDevice& device, MemoryLimit& device_limit, MemoryLimit& host_limit,
             BufferPoolSettings settings = {})
      : device_{device}, device_limit_{device_limit}, host_limit_{host_limit}, settings_{std::move(settings)} {}
  ~BufferPool() { cleanup(); }
  BufferPool(const BufferPool&) = delete;
  BufferPool& operator=(const BufferPool&) = delete;

  /// What a request takes in truth: plans count with it. Less than 1/32 above the size, or the next 64 KiB.
  static Bytes size_class(Bytes size);

  /// Contents are undefined. Errors: over_budget, with the numbers, only after every idle block was given back;
  /// device_lost.
  Result<Buffer> acquire(Bytes size, MemoryKind kind, MemoryUsage usage);

  /// True if a block of this size that is given back makes one go to the driver: as many as may be are idle already.
  bool is_class_full(Bytes size, MemoryUsage usage) const {
    return count_idle(size_class(size), usage) >= settings_.max_idle;
  }

  /// The least recently used idle block of this size, which goes to the driver when the buffer ends: for an owner that gives
  /// back what commands under way still use, and waits for them. Empty if no block of the size is idle.
  Buffer take_oldest_idle(Bytes size, MemoryUsage usage);

  /// Gives every idle block back to the driver. May be called at any time, and again.
  void cleanup();

  BufferPoolStatistics statistics() const;

 private:
  friend class Buffer;
  struct IdleBlock {
    MemoryBlock block;
    MemoryUsage usage;
  };
  MemoryLimit& limit_for(MemoryUsage usage) { return device_.is_device_local(usage) ? device_limit_ : host_limit_; }
  void take_back(const Buffer& buffer);
  void free(const IdleBlock& idle);
  std::size_t count_idle(Bytes class_size, MemoryUsage usage) const;
  Result<MemoryBlock> allocate(Bytes class_size, MemoryUsage usage);

  LogicalDevice& device_;
  MemoryLimit& device_limit_;
  MemoryLimit& host_limit_;
  BufferPoolSettings settings_;
  std::list<IdleBlock> idle_;  // least recently used first
  Bytes allocated_, idle_bytes_, peak_;
  std::uint64_t hits_ = 0, misses_ = 0, peak_idle_ = 0;
};

}  // namespace weir::compute::vulkan
