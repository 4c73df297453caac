#pragma once

#include <cstddef>
#include <vector>

namespace weir::nn {

/// A part of the arena. The arena is the memory for all rows of a run, allocated as one piece. A run goes through the
/// picture once or several times; each time is a pass. The block is in use from pass first_pass to pass last_pass, both
/// included.
struct MemoryBlock {
  std::size_t bytes = 0;
  int first_pass = 0, last_pass = 0;  ///< pass indices
  std::size_t offset = 0;             ///< offset in the arena in bytes; set by place_blocks
};

/// Two blocks that may overlap, because the pass that reads block `from` for the last time also writes block `to`, and
/// it goes through both from front to back. If they overlap, `to` must begin at least `gap_bytes` before `from`: then
/// only those bytes of `from` are overwritten that the pass no longer needs.
struct BlockOverlap {
  std::size_t from = 0, to = 0;  ///< indices of blocks
  std::size_t gap_bytes = 0;
};

/// Sets the offset of every block, so that blocks in use in the same pass do not overlap, except for the pairs in
/// `overlaps`. Returns the size of the arena in bytes. Places the blocks by size, the largest first, each at the lowest
/// offset where it fits. Then, for each pair of `overlaps` whose `to` comes after `from` in this order, places all
/// blocks again with `to` directly before `from`, and keeps the changed order if the arena does not become larger.
std::size_t place_blocks(std::vector<MemoryBlock>& blocks, const std::vector<BlockOverlap>& overlaps);

}  // namespace weir::nn
