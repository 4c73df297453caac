#include "compute/vulkan/hazards.hpp"

#include <algorithm>

namespace weir::compute::vulkan {

namespace {

constexpr std::size_t kMostOpen = 4096;  // beyond that a barrier is cheaper than looking for the need of one

}  // namespace

bool collide(const Access& a, const Access& b) {
  return (a.write || b.write) && a.buffer == b.buffer && a.begin < b.end && b.begin < a.end;
}

Barrier Hazards::before(std::span<const Access> uses) {
  const bool clash = std::any_of(uses.begin(), uses.end(), [&](const Access& use) {
    return std::any_of(open_.begin(), open_.end(), [&](const Access& open) { return collide(open, use); });
  });
  Barrier barrier;
  if (clash || open_.size() + uses.size() > kMostOpen) {
    barrier.needed = true;
    barrier.after = touchers_;
    // What comes later may be any of these: the barrier settles all that is open, so it must be for all.
    barrier.before = possible_;
    clear();
  }
  for (const Access& use : uses) {
    open_.push_back(use);
    touchers_ |= static_cast<unsigned>(use.toucher);
  }
  return barrier;
}

void Hazards::clear() {
  open_.clear();
  touchers_ = 0;
}

}  // namespace weir::compute::vulkan
