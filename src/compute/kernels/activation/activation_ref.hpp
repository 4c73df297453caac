#pragma once

#include <span>

#include "compute/kernels/planes/planes_ref.hpp"

namespace weir::compute {

// Reference implementations (_ref) of activations: simple code, for tests of the fast kernels.

/// Computes x < 0 ? x * slope : x in place. Slope 0 gives ReLU.
void leaky_relu_ref(Planes& planes, float slope);
/// Computes x < 0 ? x * slope : x in place. `slope` has one value for each channel, or one value for all channels.
void prelu_ref(Planes& planes, std::span<const float> slope);
/// Limits the values to the range `low`..`high` in place.
void clip_ref(Planes& planes, float low, float high);
/// Computes 1 / (1 + exp(-x)) in place.
void sigmoid_ref(Planes& planes);

}  // namespace weir::compute
