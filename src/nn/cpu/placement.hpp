#pragma once

#include <cstddef>
#include <vector>

namespace weir::nn {

/// A piece of memory that is needed from one pass to another.
struct MemoryBlock {
  std::size_t bytes = 0;
  int first_pass = 0, last_pass = 0;  ///< passes
  std::size_t offset = 0;             ///< what is looked for
};

/// In the pass in which `from` is read for the last time, `to` is made, both from front to back: they may overlap if `to`
/// begins at least `lead` bytes before `from`.
struct BlockOverlap {
  std::size_t from = 0, to = 0;  ///< numbers of blocks
  std::size_t gap_bytes = 0;
};

/// Gives every block its offset so that blocks that live at the same time do not overlap but for handovers.
/// Returns the bytes that all take together. First fit, largest first; then each handover is tried in the other order.
std::size_t place_blocks(std::vector<MemoryBlock>& blocks, const std::vector<BlockOverlap>& overlaps);

}  // namespace weir::nn
