#include "memory/growth.hpp"

#include <algorithm>
#include <cstdlib>

#include <fmt/format.h>

namespace weir::memory {
namespace {

std::int64_t difference(Bytes before, Bytes after) {
  return static_cast<std::int64_t>(after.count()) - static_cast<std::int64_t>(before.count());
}

/// Growth that one layer measured, over all its meters.
struct LayerGrowth {
  std::int64_t bytes = 0;
  bool has_reading = false;
};

}  // namespace

std::string format_signed_bytes(std::int64_t bytes) {
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
  LayerGrowth allocator;
  LayerGrowth system;
  Growth growth;
  for (std::size_t i = 0; i < meters.size() && i < before.size() && i < after.size(); ++i) {
    if (meters[i]->side() != side || !before[i] || !after[i]) continue;
    LayerGrowth& layer = meters[i]->layer() == MeterLayer::allocator ? allocator : system;
    const std::int64_t grown = difference(*before[i], *after[i]);
    layer.bytes += grown;
    layer.has_reading = true;
    growth.evidence +=
        fmt::format("{}{} {}", growth.evidence.empty() ? "" : ", ", meters[i]->name(), format_signed_bytes(grown));
  }
  growth.confirmed = allocator.has_reading && system.has_reading;
  if (growth.confirmed)
    growth.bytes = std::min(allocator.bytes, system.bytes);
  else
    growth.bytes = allocator.has_reading ? allocator.bytes : system.bytes;
  return growth;
}

}  // namespace weir::memory
