#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace weir::compute::vulkan {

/// Who touches memory. Bits, so that several can be named at once.
enum class AccessStage : unsigned { compute = 1, transfer = 2, host = 4 };

/// One declared use of some bytes of a buffer. `buffer` names it; two names never share memory.
struct Access {
  std::uint64_t buffer = 0;
  std::uint64_t begin = 0, end = 0;
  bool write = false;
  AccessStage stage = AccessStage::compute;
};

/// Whether one of the two changes bytes that the other uses too.
bool accesses_conflict(const Access& a, const Access& b);

/// What must stand before a command: everything that `after` did is finished and seen before any of `before` goes on.
struct Barrier {
  bool needed = false;
  unsigned source_stages = 0;       ///< Toucher bits
  unsigned destination_stages = 0;  ///< Toucher bits
  bool operator==(const Barrier&) const = default;
};

/// Finds the barriers of a row of commands from the inputs and outputs that each declares: read after write, write after
/// read, write after write. A barrier is for all memory, so it settles everything before it. A value; makes no call.
class HazardTracker {
 public:
  static constexpr unsigned kAllStages = static_cast<unsigned>(AccessStage::compute) |
                                         static_cast<unsigned>(AccessStage::transfer) |
                                         static_cast<unsigned>(AccessStage::host);
  /// `possible`: who may touch anything at all; no barrier names others. A queue that only copies knows no kernels.
  explicit HazardTracker(unsigned supported_stages = kAllStages) : supported_stages_{supported_stages} {}

  /// The barrier that a command with these uses needs before it; then the uses are remembered.
  Barrier add_command(std::span<const Access> accesses);
  /// Everything so far has ended, and the host has waited for it.
  void clear();
  std::size_t tracked_accesses() const { return open_accesses_.size(); }

 private:
  std::vector<Access> open_accesses_;  // since the last barrier
  unsigned open_stages_ = 0;
  unsigned supported_stages_;
};

}  // namespace weir::compute::vulkan
