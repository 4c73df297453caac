#include "compute/vulkan/memory_limit.hpp"

#include <algorithm>

namespace weir::compute::vulkan {

std::string_view name_of(MemoryKind kind) {
  constexpr std::array<std::string_view, kMemoryKinds> kNames{"weights", "activations", "staging", "parameters"};
  return kNames[static_cast<std::size_t>(kind)];
}

bool MemoryLimit::charge(Bytes size) {
  if (charged_ + size > limit_) return false;
  charged_ += size;
  peak_charged_ = std::max(peak_charged_, charged_);
  return true;
}

void MemoryLimit::begin_use(MemoryKind kind, Bytes size) {
  const auto i = static_cast<std::size_t>(kind);
  in_use_[i] += size;
  peak_in_use_[i] = std::max(peak_in_use_[i], in_use_[i]);
}

void MemoryLimit::end_use(MemoryKind kind, Bytes size) {
  const auto i = static_cast<std::size_t>(kind);
  in_use_[i] = in_use_[i] - size;
}

Bytes MemoryLimit::in_use() const {
  Bytes sum;
  for (const Bytes use : in_use_) sum += use;
  return sum;
}

}  // namespace weir::compute::vulkan
