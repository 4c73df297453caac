#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <utility>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "compute/vulkan/device.hpp"
#include "compute/vulkan/memory_line.hpp"

namespace weir::compute::vulkan {

class Pool;

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
  friend class Pool;
  Buffer(Pool& pool, const Block& block, MemoryKind kind, Where where)
      : pool_{&pool}, block_{block}, kind_{kind}, where_{where} {}
  Pool* pool_ = nullptr;
  Block block_;
  MemoryKind kind_ = MemoryKind::activations;
  Where where_ = Where::device;
  bool leaves_ = false;  // goes to the driver, not to the pool
};

/// Some bytes of a buffer; a view. The offset is a multiple of kSliceAlignment.
struct Slice {
  VkBuffer buffer = VK_NULL_HANDLE;
  std::uint64_t offset = 0, size = 0;
};
inline constexpr std::uint64_t kSliceAlignment = 256;  // no driver may ask for more
inline Slice slice_of(const Buffer& buffer) { return {buffer.handle(), 0, buffer.size().count()}; }

struct PoolSettings {
  std::size_t max_idle = 50;  ///< `pool.max-idle`: idle blocks kept of each size
  /// Called before idle blocks go to the driver, for an owner that gives back what commands under way still use: it waits
  /// for them. May give back more.
  std::function<void()> before_cleanup = {};
};

struct PoolStatistics {
  Bytes allocated;  ///< from the driver, in use or idle
  Bytes in_use;
  Bytes idle;
  Bytes peak;  ///< of allocated
  std::uint64_t hits = 0, misses = 0;
  std::uint64_t most_idle = 0;  ///< blocks of one size, ever
};

/// Keeps freed blocks of a device's memory for reuse, in classes of size. Charges what the driver gave, idle or not, to
/// the line of the memory that it came from. Not thread-safe: one pool per stream. Device and lines must outlive it.
class Pool {
 public:
  Pool(Device& device, MemoryLine& device_line, MemoryLine& host_line, PoolSettings settings = {})
      : device_{device}, device_line_{device_line}, host_line_{host_line}, settings_{std::move(settings)} {}
  ~Pool() { cleanup(); }
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  /// What a request takes in truth: plans count with it. Less than 1/32 above the size, or the next 64 KiB.
  static Bytes size_class(Bytes size);

  /// Contents are undefined. Errors: over_budget, with the numbers, only after every idle block was given back;
  /// device_lost.
  Result<Buffer> acquire(Bytes size, MemoryKind kind, Where where);

  /// True if a block of this size that is given back makes one go to the driver: as many as may be are idle already.
  bool is_full(Bytes size, Where where) const { return idle_alike(size_class(size), where) >= settings_.max_idle; }

  /// The least recently used idle block of this size, which goes to the driver when the buffer ends: for an owner that gives
  /// back what commands under way still use, and waits for them. Empty if no block of the size is idle.
  Buffer take_oldest(Bytes size, Where where);

  /// Gives every idle block back to the driver. May be called at any time, and again.
  void cleanup();

  PoolStatistics statistics() const;

 private:
  friend class Buffer;
  struct Idle {
    Block block;
    Where where;
  };
  MemoryLine& line_of(Where where) { return device_.is_device_local(where) ? device_line_ : host_line_; }
  void take_back(const Buffer& buffer);
  void free(const Idle& idle);
  std::size_t idle_alike(Bytes size, Where where) const;
  Result<Block> allocate(Bytes size, Where where);

  Device& device_;
  MemoryLine& device_line_;
  MemoryLine& host_line_;
  PoolSettings settings_;
  std::list<Idle> idle_;  // least recently used first
  Bytes allocated_, idle_bytes_, peak_;
  std::uint64_t hits_ = 0, misses_ = 0, most_idle_ = 0;
};

}  // namespace weir::compute::vulkan
