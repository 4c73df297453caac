#pragma once

#include <span>

#include "compute/kernels/planes/planes_ref.hpp"

namespace weir::compute {

/// x < 0 ? x * slope : x, in place. Slope 0 is the rectifier.
void leaky_relu_ref(Planes& planes, float slope);
/// The same with one slope per channel, or one for all if there is one.
void prelu_ref(Planes& planes, std::span<const float> slope);
/// Values below `low` become `low`, above `high` become `high`; in place.
void clip_ref(Planes& planes, float low, float high);
/// 1 / (1 + exp(-x)), in place.
void sigmoid_ref(Planes& planes);

}  // namespace weir::compute
