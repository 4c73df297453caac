#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace weir::compute::vulkan {

/// Who touches memory. Bits, so that several can be named at once.
enum class Toucher : unsigned { compute = 1, transfer = 2, host = 4 };

/// One declared use of some bytes of a buffer. `buffer` names it; two names never share memory.
struct Access {
  std::uint64_t buffer = 0;
  std::uint64_t begin = 0, end = 0;
  bool write = false;
  Toucher toucher = Toucher::compute;
};

/// Whether one of the two changes bytes that the other uses too.
bool collide(const Access& a, const Access& b);

/// What must stand before a command: everything that `after` did is finished and seen before any of `before` goes on.
struct Barrier {
  bool needed = false;
  unsigned after = 0;   ///< Toucher bits
  unsigned before = 0;  ///< Toucher bits
  bool operator==(const Barrier&) const = default;
};

/// Finds the barriers of a row of commands from the inputs and outputs that each declares: read after write, write after
/// read, write after write. A barrier is for all memory, so it settles everything before it. A value; makes no call.
class Hazards {
 public:
  static constexpr unsigned kAll = static_cast<unsigned>(Toucher::compute) | static_cast<unsigned>(Toucher::transfer) |
                                   static_cast<unsigned>(Toucher::host);
  /// `possible`: who may touch anything at all; no barrier names others. A queue that only copies knows no kernels.
  explicit Hazards(unsigned possible = kAll) : possible_{possible} {}

  /// The barrier that a command with these uses needs before it; then the uses are remembered.
  Barrier before(std::span<const Access> uses);
  /// Everything so far has ended, and the host has waited for it.
  void clear();
  std::size_t remembered() const { return open_.size(); }

 private:
  std::vector<Access> open_;  // since the last barrier
  unsigned touchers_ = 0;
  unsigned possible_;
};

}  // namespace weir::compute::vulkan
