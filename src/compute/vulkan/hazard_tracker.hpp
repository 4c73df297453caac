#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace weir::compute::vulkan {

/// Who accesses memory: a kernel (compute), a copy or fill (transfer), or the host. The values are bits: a set of
/// stages is an `unsigned` with the bits of all its stages.
enum class AccessStage : unsigned { compute = 1, transfer = 2, host = 4 };

/// How a command accesses a range of bytes in a buffer. `buffer` identifies the buffer; two buffers never share
/// memory.
struct Access {
  std::uint64_t buffer = 0;
  std::uint64_t begin = 0, end = 0;  ///< bytes begin..end-1 of the buffer
  bool write = false;                ///< true: writes, and perhaps reads; false: only reads
  AccessStage stage = AccessStage::compute;
};

/// Returns whether the two accesses overlap and at least one of them writes.
bool accesses_conflict(const Access& a, const Access& b);

/// A barrier to record before a command. Earlier accesses of `source_stages` end before later accesses of
/// `destination_stages` begin, and what they wrote is visible to these.
struct Barrier {
  bool needed = false;
  unsigned source_stages = 0;       ///< set of AccessStage bits
  unsigned destination_stages = 0;  ///< set of AccessStage bits
  bool operator==(const Barrier&) const = default;
};

/// Finds the barriers that a sequence of commands needs, from the accesses that each command declares. A command needs
/// a barrier if it conflicts with an earlier command: read after write, write after read, or write after write (Vulkan
/// calls such a conflict a hazard). A barrier covers all memory, so accesses before it cannot conflict with later ones
/// any more. Copyable; calls no driver function.
class HazardTracker {
 public:
  static constexpr unsigned kAllStages = static_cast<unsigned>(AccessStage::compute) |
                                         static_cast<unsigned>(AccessStage::transfer) |
                                         static_cast<unsigned>(AccessStage::host);
  /// `supported_stages` is the set of stages that the queue supports; barriers have no other stage. A transfer queue,
  /// for example, does not support AccessStage::compute.
  explicit HazardTracker(unsigned supported_stages = kAllStages) : supported_stages_{supported_stages} {}

  /// Stores the accesses of the next command and returns the barrier to record before it. A barrier is also
  /// needed when more than 4096 accesses would be stored.
  Barrier add_command(std::span<const Access> accesses);
  /// Removes all stored accesses. To be called after the host has waited until all commands so far have ended.
  void clear();
  /// Returns the number of stored accesses: those since the last barrier.
  std::size_t tracked_accesses() const { return open_accesses_.size(); }

 private:
  std::vector<Access> open_accesses_;  // since the last barrier
  unsigned open_stages_ = 0;           // the stages of open_accesses_
  unsigned supported_stages_;
};

}  // namespace weir::compute::vulkan
