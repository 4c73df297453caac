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

/// A block of memory from a BufferPool, or nothing (operator bool returns false). The destructor gives the block back
/// to the pool, which must outlive the Buffer. Movable, not copyable.
class Buffer {
 public:
  Buffer() = default;
  Buffer(Buffer&& other) noexcept;
  Buffer& operator=(Buffer&& other) noexcept;
  ~Buffer();

  VkBuffer handle() const { return block_.buffer; }
  Bytes size() const { return block_.size; }       ///< size of the block, at least the requested size
  std::byte* host() const { return block_.host; }  ///< mapped address; null for MemoryUsage::device
  explicit operator bool() const { return pool_ != nullptr; }

 private:
  friend class BufferPool;
  Buffer(BufferPool& pool, const MemoryBlock& block, MemoryKind kind, MemoryUsage usage)
      : pool_{&pool}, block_{block}, kind_{kind}, usage_{usage} {}
  BufferPool* pool_ = nullptr;
  MemoryBlock block_;
  MemoryKind kind_ = MemoryKind::activations;
  MemoryUsage usage_ = MemoryUsage::device;
  bool bypasses_pool_ = false;  // true: the destructor gives the block back to the driver, not to the pool
};

/// A range of bytes of a buffer: a view, which does not own it. A slice that a kernel reads or writes begins at a
/// multiple of kSliceAlignment.
struct Slice {
  VkBuffer buffer = VK_NULL_HANDLE;
  std::uint64_t offset = 0, size = 0;  ///< in bytes
};
inline constexpr std::uint64_t kSliceAlignment = 256;  // bytes: the largest alignment that a driver may require
/// Returns the slice that covers the whole buffer.
inline Slice slice_of(const Buffer& buffer) { return {buffer.handle(), 0, buffer.size().count()}; }

struct BufferPoolSettings {
  std::size_t max_idle = 50;  ///< setting `pool.max-idle`: maximum number of idle blocks of each size and MemoryUsage
  /// Called when cleanup() begins; may be empty. If buffers are given back while commands of
  /// the device still use them, this function must wait for these commands. It may give back more buffers.
  std::function<void()> before_cleanup = {};
};

struct BufferPoolStatistics {
  Bytes allocated;                     ///< bytes allocated from the driver, in use or idle
  Bytes in_use;                        ///< bytes of the blocks that are in a Buffer
  Bytes idle;                          ///< bytes of the blocks that the pool keeps for reuse
  Bytes peak;                          ///< largest value of `allocated` so far
  std::uint64_t hits = 0, misses = 0;  ///< number of requests served by an idle block, and of all others
  std::uint64_t peak_idle = 0;         ///< largest number of idle blocks of one size and MemoryUsage so far
};

/// Pool of device buffers. A block that is given back stays idle in the pool until a request of the same size class and
/// MemoryUsage reuses it. All blocks, idle blocks included, are charged to `device_limit` or `host_limit`, depending on
/// the memory that they come from. Not thread-safe. The device and the limits must outlive the pool, and the pool all
/// its Buffers.
class BufferPool {
 public:
  BufferPool(LogicalDevice& device, MemoryLimit& device_limit, MemoryLimit& host_limit,
             BufferPoolSettings settings = {})
      : device_{device}, device_limit_{device_limit}, host_limit_{host_limit}, settings_{std::move(settings)} {}
  ~BufferPool() { cleanup(); }
  BufferPool(const BufferPool&) = delete;
  BufferPool& operator=(const BufferPool&) = delete;

  /// Returns the size of the block that a request of `size` bytes gets: `size` rounded up to a multiple of a step.
  /// The step is 1/32 of the largest power of two that is not above `size`, but at least 64 KiB.
  static Bytes size_class(Bytes size);

  /// Returns a buffer with undefined contents. The MemoryLimit that it is charged to counts it as memory of this kind.
  /// Errors: over_budget if the limit or the driver refuses the memory even after all idle blocks were freed;
  /// device_lost and unsupported from LogicalDevice::allocate().
  Result<Buffer> acquire(Bytes size, MemoryKind kind, MemoryUsage usage);

  /// Returns whether max_idle blocks of the size class of `size` are idle already, so that the pool frees a block when
  /// it gets one more.
  bool is_class_full(Bytes size, MemoryUsage usage) const {
    return count_idle(size_class(size), usage) >= settings_.max_idle;
  }

  /// Removes the least recently used idle block of the size class of `size` from the pool and returns it; returns an
  /// empty Buffer if there is none. The Buffer's destructor gives the block back to the driver. For users that give
  /// buffers back while commands still use them: when the class is full, they call this function and keep the Buffer
  /// until the commands have ended.
  Buffer take_oldest_idle(Bytes size, MemoryUsage usage);

  /// Gives every idle block back to the driver. May be called at any time and repeatedly.
  void cleanup();

  BufferPoolStatistics statistics() const;

 private:
  friend class Buffer;
  struct IdleBlock {
    MemoryBlock block;
    MemoryUsage usage;
  };
  /// Returns the limit that blocks for this usage are charged to.
  MemoryLimit& limit_for(MemoryUsage usage) { return device_.is_device_local(usage) ? device_limit_ : host_limit_; }
  /// Called by the destructor of a Buffer: keeps its block for reuse, or frees it (bypasses_pool_). If more than
  /// max_idle blocks of the size class are then idle, frees the least recently used one of them.
  void take_back(const Buffer& buffer);
  /// Gives the block back to the driver.
  void free(const IdleBlock& idle);
  // In these functions `class_size` is a result of size_class().
  /// Returns the number of idle blocks of this size and usage.
  std::size_t count_idle(Bytes class_size, MemoryUsage usage) const;
  /// Charges a new block to the limit and allocates it from the driver. Errors: as acquire().
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
