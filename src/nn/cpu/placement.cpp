#include "nn/cpu/placement.hpp"

#include <algorithm>
#include <numeric>
#include <optional>
#include <utility>

namespace weir::nn {

namespace {

/// A range of offsets that a block must not have: every offset with from < offset < to would cause an overlap.
struct ForbiddenRange {
  std::ptrdiff_t from, to;
};

/// Places blocks in the arena in any order that the caller chooses.
class BlockPlacer {
 public:
  BlockPlacer(std::vector<MemoryBlock>& blocks, const std::vector<BlockOverlap>& overlaps)
      : blocks_{blocks}, overlaps_{overlaps} {}

  /// Places the blocks in this order (`order` has their indices), each at the lowest offset where it fits. Returns the
  /// end of the block that ends last: the size of the arena.
  std::size_t place(const std::vector<std::size_t>& order) {
    std::size_t end = 0;
    for (std::size_t n = 0; n < order.size(); ++n) {
      MemoryBlock& block = blocks_[order[n]];
      std::vector<ForbiddenRange> forbidden;
      for (std::size_t m = 0; m < n; ++m) {
        const MemoryBlock& other = blocks_[order[m]];
        if (other.first_pass <= block.last_pass && block.first_pass <= other.last_pass)
          forbidden.push_back(find_forbidden_range(order[n], order[m]));
      }
      std::sort(forbidden.begin(), forbidden.end(),
                [](const ForbiddenRange& a, const ForbiddenRange& b) { return a.from < b.from; });
      // The ranges are sorted by their beginnings, so one walk finds the lowest offset that is in none of them.
      std::ptrdiff_t at = 0;
      for (const ForbiddenRange& range : forbidden) {
        if (at > range.from) at = std::max(at, range.to);
      }
      block.offset = static_cast<std::size_t>(at);
      end = std::max(end, block.offset + block.bytes);
    }
    return end;
  }

 private:
  /// Returns the offsets that `block` must not have because of the block `placed`; both are indices.
  ForbiddenRange find_forbidden_range(std::size_t block, std::size_t placed) const {
    const auto at = static_cast<std::ptrdiff_t>(blocks_[placed].offset);
    ForbiddenRange range{at - static_cast<std::ptrdiff_t>(blocks_[block].bytes),
                         at + static_cast<std::ptrdiff_t>(blocks_[placed].bytes)};
    // If the two may overlap, only the offsets are forbidden with which `to` begins less than gap_bytes before `from`.
    for (const BlockOverlap& overlap : overlaps_) {
      const auto gap = static_cast<std::ptrdiff_t>(overlap.gap_bytes);
      if (overlap.from == placed && overlap.to == block) range.from = std::max(range.from, at - gap);
      if (overlap.from == block && overlap.to == placed) range.to = std::min(range.to, at + gap);
    }
    return range;
  }

  std::vector<MemoryBlock>& blocks_;
  const std::vector<BlockOverlap>& overlaps_;
};

}  // namespace

std::size_t place_blocks(std::vector<MemoryBlock>& blocks, const std::vector<BlockOverlap>& overlaps) {
  std::vector<std::size_t> order(blocks.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return blocks[a].bytes > blocks[b].bytes; });
  BlockPlacer placer{blocks, overlaps};
  std::size_t best = placer.place(order);
  for (const BlockOverlap& overlap : overlaps) {
    std::vector<std::size_t> changed_order = order;
    const auto from = std::find(changed_order.begin(), changed_order.end(), overlap.from);
    const auto to = std::find(from, changed_order.end(), overlap.to);
    if (to == changed_order.end()) continue;  // `to` already comes before `from`
    std::rotate(from, to, to + 1);            // moves `to` directly before `from`
    const std::size_t end = placer.place(changed_order);
    if (end > best) continue;
    best = end;
    order = std::move(changed_order);
  }
  placer.place(order);  // sets the offsets of the best order again
  return best;
}

}  // namespace weir::nn
