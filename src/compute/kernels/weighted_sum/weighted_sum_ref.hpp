#pragma once

#include <span>

#include "compute/kernels/planes/planes_ref.hpp"

namespace weir::compute {

/// sum of coefficient[i] * inputs[i], in the order of i; at least one input, all of one shape.
Planes weighted_sum_ref(std::span<const Planes* const> inputs, std::span<const float> coefficient);

}  // namespace weir::compute
