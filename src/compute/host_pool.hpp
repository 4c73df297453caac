#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>

#include "base/bytes.hpp"
#include "base/result.hpp"

namespace weir::compute {

struct HostPoolSettings {
  std::size_t max_idle = 50;       ///< maximum number of idle blocks kept in each size class
  Bytes limit{~std::uint64_t{0}};  ///< memory limit of all blocks together, idle blocks included; default: no limit
};

/// Counters of a HostPool.
struct HostPoolStatistics {
  Bytes allocated;                     ///< bytes allocated from the system, in use or idle
  Bytes in_use;                        ///< bytes of the blocks that callers have
  Bytes idle;                          ///< bytes of the blocks that the pool keeps for reuse
  Bytes peak;                          ///< largest value of `allocated` so far
  std::uint64_t hits = 0, misses = 0;  ///< number of requests served by an idle block, and by a new block
  std::uint64_t peak_idle = 0;         ///< largest number of idle blocks in one size class so far
};

/// Pool of memory blocks of the host (the CPU's memory). A block that is given back stays idle in the pool until a
/// request of the same size class reuses it, or until it is freed. Blocks are aligned to 64 bytes. Not thread-safe. The
/// destructor frees the idle blocks only: the caller must give back all other blocks before.
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
  /// Returns a block with undefined contents. Its size is size_class(size).
  /// Errors: over_budget if the block would exceed the limit even after every idle block was freed, or if the system
  /// refuses the memory.
  Result<Block> acquire(Bytes size);
  /// Returns whether acquire(size) would free all idle blocks: no idle block has the size class, and a new block would
  /// exceed the limit.
  bool needs_cleanup(Bytes size) const;
  /// Keeps the block for reuse. If its size class already has max_idle idle blocks, the least recently used one of them
  /// is freed instead. With max_idle 0, the block itself is freed.
  void give_back(Block block);
  /// Returns whether give_back(block) would free a block.
  bool is_class_full(const Block& block) const { return idle_[class_of(block.size)].size() >= settings_.max_idle; }
  /// Frees every idle block. May be called at any time and repeatedly.
  void cleanup();

  HostPoolStatistics statistics() const;
  /// Returns the size of the block that acquire(size) returns: `size` rounded up to the next size class. The classes
  /// begin at 256 bytes; there are four for each power of two, so that a block is less than a quarter larger than a
  /// `size` of 256 bytes or more. A `size` of 2^60 bytes or more is not rounded; acquire() refuses it.
  static Bytes size_class(Bytes size);

 private:
  /// Returns the index of the size class of `size`, 0..255.
  static std::size_t class_of(Bytes size);
  /// Gives the block back to the system.
  void free(Block block);
  HostPoolSettings settings_;
  std::array<std::deque<Block>, 256> idle_;  // by size class; in each class the least recently used block first
  Bytes allocated_, idle_bytes_, peak_;
  std::uint64_t hits_ = 0, misses_ = 0, peak_idle_ = 0;
};

}  // namespace weir::compute
