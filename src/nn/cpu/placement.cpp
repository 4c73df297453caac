#include "nn/cpu/placement.hpp"

#include <algorithm>
#include <numeric>
#include <optional>
#include <utility>

namespace weir::nn {

namespace {

/// Offsets that a block must not have: from < offset < to.
struct Forbidden {
  std::ptrdiff_t from, to;
};

class Placement {
 public:
  Placement(std::vector<Block>& blocks, const std::vector<Handover>& handovers)
      : blocks_{blocks}, handovers_{handovers} {}

  std::size_t place(const std::vector<std::size_t>& order) {
    std::size_t end = 0;
    for (std::size_t n = 0; n < order.size(); ++n) {
      Block& block = blocks_[order[n]];
      std::vector<Forbidden> taken;
      for (std::size_t m = 0; m < n; ++m) {
        const Block& other = blocks_[order[m]];
        if (other.first <= block.last && block.first <= other.last) taken.push_back(forbidden(order[n], order[m]));
      }
      std::sort(taken.begin(), taken.end(), [](const Forbidden& a, const Forbidden& b) { return a.from < b.from; });
      std::ptrdiff_t at = 0;
      for (const Forbidden& f : taken) {
        if (at > f.from) at = std::max(at, f.to);
      }
      block.offset = static_cast<std::size_t>(at);
      end = std::max(end, block.offset + block.bytes);
    }
    return end;
  }

 private:
  Forbidden forbidden(std::size_t block, std::size_t placed) const {
    const auto at = static_cast<std::ptrdiff_t>(blocks_[placed].offset);
    Forbidden f{at - static_cast<std::ptrdiff_t>(blocks_[block].bytes),
                at + static_cast<std::ptrdiff_t>(blocks_[placed].bytes)};
    for (const Handover& h : handovers_) {
      const auto lead = static_cast<std::ptrdiff_t>(h.lead);
      if (h.from == placed && h.to == block) f.from = std::max(f.from, at - lead);
      if (h.from == block && h.to == placed) f.to = std::min(f.to, at + lead);
    }
    return f;
  }

  std::vector<Block>& blocks_;
  const std::vector<Handover>& handovers_;
};

}  // namespace

std::size_t place(std::vector<Block>& blocks, const std::vector<Handover>& handovers) {
  std::vector<std::size_t> order(blocks.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return blocks[a].bytes > blocks[b].bytes; });
  Placement placement{blocks, handovers};
  std::size_t best = placement.place(order);
  for (const Handover& h : handovers) {
    std::vector<std::size_t> other = order;
    const auto from = std::find(other.begin(), other.end(), h.from);
    const auto to = std::find(from, other.end(), h.to);
    if (to == other.end()) continue;  // it comes first already
    std::rotate(from, to, to + 1);
    const std::size_t end = placement.place(other);
    if (end > best) continue;
    best = end;
    order = std::move(other);
  }
  placement.place(order);
  return best;
}

}  // namespace weir::nn
