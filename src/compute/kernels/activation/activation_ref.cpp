#include "compute/kernels/activation/activation_ref.hpp"

#include <algorithm>
#include <cmath>

namespace weir::compute {

namespace {

/// Multiplies the negative values by `slope`.
void scale_negatives(std::span<float> values, float slope) {
  for (float& value : values) value = value < 0 ? value * slope : value;
}

}  // namespace

void leaky_relu_ref(Planes& planes, float slope) { scale_negatives(planes.values, slope); }

void prelu_ref(Planes& planes, std::span<const float> slope) {
  assert(slope.size() == 1 || slope.size() == static_cast<std::size_t>(planes.channels));
  for (int c = 0; c < planes.channels; ++c) scale_negatives(planes.plane(c), slope[slope.size() == 1 ? 0 : c]);
}

void clip_ref(Planes& planes, float low, float high) {
  for (float& value : planes.values) value = std::clamp(value, low, high);
}

void sigmoid_ref(Planes& planes) {
  for (float& value : planes.values) value = 1.0F / (1.0F + std::exp(-value));
}

}  // namespace weir::compute
