#include "memory/growth.hpp"

#include <algorithm>
#include <cstdlib>

#include <fmt/format.h>

namespace weir::memory {
namespace {

std::int64_t difference(Bytes before, Bytes after) {
  return static_cast<std::int64_t>(after.count()) - static_cast<std::int64_t>(before.count());
}

/// What one witness saw, all its meters together.
struct Testimony {
  std::int64_t bytes = 0;
  bool spoke = false;
};

}  // namespace

std::string signed_text(std::int64_t bytes) {
  const std::string size = to_text(Bytes{static_cast<std::uint64_t>(std::llabs(bytes))});
  return bytes > 0 ? "+" + size : bytes < 0 ? "-" + size : size;
}

Sample take_sample(const Meters& meters) {
  Sample sample;
  sample.reserve(meters.size());
  for (const auto& meter : meters) {
    const auto reading = meter->read();
    sample.push_back(reading ? std::optional{reading->value} : std::nullopt);
  }
  return sample;
}

Growth growth_between(const Meters& meters, Side side, const Sample& before, const Sample& after) {
  Testimony allocator;
  Testimony system;
  Growth growth;
  for (std::size_t i = 0; i < meters.size() && i < before.size() && i < after.size(); ++i) {
    if (meters[i]->side() != side || !before[i] || !after[i]) continue;
    Testimony& witness = meters[i]->witness() == Witness::allocator ? allocator : system;
    const std::int64_t grown = difference(*before[i], *after[i]);
    witness.bytes += grown;
    witness.spoke = true;
    growth.evidence +=
        fmt::format("{}{} {}", growth.evidence.empty() ? "" : ", ", meters[i]->name(), signed_text(grown));
  }
  growth.confirmed = allocator.spoke && system.spoke;
  if (growth.confirmed)
    growth.bytes = std::min(allocator.bytes, system.bytes);
  else
    growth.bytes = allocator.spoke ? allocator.bytes : system.bytes;
  return growth;
}

}  // namespace weir::memory
