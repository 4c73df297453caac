#pragma once

#include <array>
#include <cstddef>
#include <string_view>

#include "base/bytes.hpp"

namespace weir::compute::vulkan {

/// What memory is used for:
/// - weights: the network's weights;
/// - activations: the tensors between the layers;
/// - staging: buffers for transfers between host and device;
/// - parameters: small tables of the kernels.
/// Each kind is counted separately, so that the actual use can be compared with a plan (nn::vulkan::DevicePlan).
enum class MemoryKind { weights, activations, staging, parameters };
inline constexpr std::size_t kMemoryKinds = 4;
std::string_view name_of(MemoryKind kind);  ///< Returns "weights", "activations", "staging" or "parameters".

/// Limit and use of one sort of memory: device memory, or host memory that the device accesses. It counts the memory
/// that is allocated (charged memory), and the part of it that is in use, that is, not idle in a pool. Not thread-safe.
class MemoryLimit {
 public:
  explicit MemoryLimit(Bytes limit) : limit_{limit} {}

  Bytes limit() const { return limit_; }
  /// Sets the limit for later charges; memory already charged above it stays charged.
  void set_limit(Bytes limit) { limit_ = limit; }

  /// Adds `size` to the charged memory. Returns false and changes nothing if this would exceed the limit.
  bool charge(Bytes size);
  /// Subtracts `size` from the charged memory.
  void release(Bytes size) { charged_ = charged_ - size; }
  Bytes charged() const { return charged_; }
  Bytes peak_charged() const { return peak_charged_; }  ///< largest value of charged() so far

  // These functions count the charged memory that is in use, for each kind.
  void begin_use(MemoryKind kind, Bytes size);
  void end_use(MemoryKind kind, Bytes size);
  /// Returns the memory in use of all kinds together.
  Bytes in_use() const;
  Bytes in_use(MemoryKind kind) const { return in_use_[static_cast<std::size_t>(kind)]; }
  /// Returns the largest value of in_use(kind) so far.
  Bytes peak_in_use(MemoryKind kind) const { return peak_in_use_[static_cast<std::size_t>(kind)]; }

 private:
  Bytes limit_;
  Bytes charged_, peak_charged_;
  std::array<Bytes, kMemoryKinds> in_use_{}, peak_in_use_{};
};

}  // namespace weir::compute::vulkan
