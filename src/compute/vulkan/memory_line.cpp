#include "compute/vulkan/memory_line.hpp"

#include <algorithm>

namespace weir::compute::vulkan {

std::string_view name_of(MemoryKind kind) {
  constexpr std::array<std::string_view, kMemoryKinds> kNames{"weights", "activations", "staging", "parameters"};
  return kNames[static_cast<std::size_t>(kind)];
}

bool MemoryLine::charge(Bytes size) {
  if (charged_ + size > limit_) return false;
  charged_ += size;
  peak_ = std::max(peak_, charged_);
  return true;
}

void MemoryLine::begin_use(MemoryKind kind, Bytes size) {
  const auto i = static_cast<std::size_t>(kind);
  use_[i] += size;
  use_peak_[i] = std::max(use_peak_[i], use_[i]);
}

void MemoryLine::end_use(MemoryKind kind, Bytes size) {
  const auto i = static_cast<std::size_t>(kind);
  use_[i] = use_[i] - size;
}

Bytes MemoryLine::in_use() const {
  Bytes sum;
  for (const Bytes use : use_) sum += use;
  return sum;
}

}  // namespace weir::compute::vulkan
