#pragma once

#include <span>

#include "compute/kernels/planes/planes_ref.hpp"

namespace weir::compute {

/// Reference implementation (for tests of the fast kernels): returns the sum of coefficient[i] * inputs[i], added in
/// the order of i. There is at least one input, and all have the same shape.
Planes weighted_sum_ref(std::span<const Planes* const> inputs, std::span<const float> coefficient);

}  // namespace weir::compute
