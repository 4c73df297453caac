#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>

#include "base/bytes.hpp"
#include "base/result.hpp"

namespace weir::compute {

struct HostPoolSettings {
  std::size_t max_idle = 50;  ///< idle blocks kept of each size class
  Bytes limit{~std::uint64_t{0}};
};

/// As of vulkan::Pool.
struct HostPoolStatistics {
  Bytes allocated;  ///< from the system, in use or idle
  Bytes in_use, idle;
  Bytes peak;  ///< of allocated
  std::uint64_t hits = 0, misses = 0;
  std::uint64_t most_idle = 0;  ///< blocks of one class, ever
};

/// Blocks of the host's memory, kept for reuse in classes of size, as vulkan::Pool keeps a device's. A block is aligned to
/// 64 bytes. Not thread-safe. Blocks that were not given back when the pool ends are the caller's.
class HostPool {
 public:
  explicit HostPool(HostPoolSettings settings = {}) : settings_{settings} {}
  ~HostPool() { cleanup(); }
  HostPool(const HostPool&) = delete;
  HostPool& operator=(const HostPool&) = delete;

  struct Block {
    void* memory = nullptr;
    Bytes size;
  };
  /// Contents are undefined, and the size is the class's: at most a quarter above what is asked for, or 256 bytes.
  /// Errors: over_budget, with the numbers, only after every idle block was given back.
  Result<Block> acquire(Bytes size);
  /// True if acquiring so much would give idle blocks back to the system.
  bool needs_room(Bytes size) const;
  /// Kept; a class that holds max_idle blocks already gives the least recently used one back to the system.
  void give_back(Block block);
  /// True if giving this block back would free another.
  bool is_full(const Block& block) const { return idle_[class_of(block.size)].size() >= settings_.max_idle; }
  /// Gives every idle block back to the system. May be called at any time, and again.
  void cleanup();

  HostPoolStatistics statistics() const;
  static Bytes size_class(Bytes size);

 private:
  static std::size_t class_of(Bytes size);
  void free(Block block);
  HostPoolSettings settings_;
  std::array<std::deque<Block>, 256> idle_;  // least recently used first
  Bytes allocated_, idle_bytes_, peak_;
  std::uint64_t hits_ = 0, misses_ = 0, most_idle_ = 0;
};

}  // namespace weir::compute
