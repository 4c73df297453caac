#include "compute/vulkan/hazard_tracker.hpp"

#include <algorithm>

namespace weir::compute::vulkan {

namespace {

constexpr std::size_t kMaxOpenAccesses = 4096;  // with more, a barrier is cheaper than the search for conflicts

}  // namespace

bool accesses_conflict(const Access& a, const Access& b) {
  return (a.write || b.write) && a.buffer == b.buffer && a.begin < b.end && b.begin < a.end;
}

Barrier HazardTracker::add_command(std::span<const Access> accesses) {
  const bool has_conflict = std::any_of(accesses.begin(), accesses.end(), [&](const Access& access) {
    return std::any_of(open_accesses_.begin(), open_accesses_.end(),
                       [&](const Access& open) { return accesses_conflict(open, access); });
  });
  Barrier barrier;
  if (has_conflict || open_accesses_.size() + accesses.size() > kMaxOpenAccesses) {
    barrier.needed = true;
    barrier.source_stages = open_stages_;
    // The list of open accesses is cleared, so the barrier must cover all stages that any later command may have.
    barrier.destination_stages = supported_stages_;
    clear();
  }
  for (const Access& access : accesses) {
    open_accesses_.push_back(access);
    open_stages_ |= static_cast<unsigned>(access.stage);
  }
  return barrier;
}

void HazardTracker::clear() {
  open_accesses_.clear();
  open_stages_ = 0;
}

}  // namespace weir::compute::vulkan
