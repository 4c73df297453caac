#pragma once

#include <array>
#include <cstddef>
#include <string_view>

#include "base/bytes.hpp"

namespace weir::compute::vulkan {

/// What memory is for: a plan counts each apart, and each can be compared with what it came to.
enum class MemoryKind { weights, activations, staging, parameters };
inline constexpr std::size_t kMemoryKinds = 4;
std::string_view name_of(MemoryKind kind);

/// The line of one kind of memory (a device's own, or the host's that it reads): what may be taken of it, and what is.
/// Not thread-safe.
class MemoryLimit {
 public:
  explicit MemoryLimit(Bytes limit) : limit_{limit} {}

  Bytes limit() const { return limit_; }
  /// Holds from the next charge on; what is above it already stays.
  void set_limit(Bytes limit) { limit_ = limit; }

  /// False, and nothing has changed, if it would go over the line.
  bool charge(Bytes size);
  void release(Bytes size) { charged_ = charged_ - size; }
  Bytes charged() const { return charged_; }
  Bytes peak_charged() const { return peak_charged_; }

  /// Of what is charged, what somebody uses now.
  void begin_use(MemoryKind kind, Bytes size);
  void end_use(MemoryKind kind, Bytes size);
  Bytes in_use() const;
  Bytes in_use(MemoryKind kind) const { return in_use_[static_cast<std::size_t>(kind)]; }
  Bytes peak_in_use(MemoryKind kind) const { return peak_in_use_[static_cast<std::size_t>(kind)]; }

 private:
  Bytes limit_;
  Bytes charged_, peak_charged_;
  std::array<Bytes, kMemoryKinds> in_use_{}, peak_in_use_{};
};

}  // namespace weir::compute::vulkan
