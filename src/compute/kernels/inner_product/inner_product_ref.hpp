#pragma once

#include <span>

#include "compute/kernels/planes/planes_ref.hpp"

namespace weir::compute {

/// Reference implementation (for tests of the fast kernels): out[o] = bias[o] + sum_i weight[o, i] * in[i], summed in
/// float32 in the order of i.
/// in      [c, 1, 1]; weight [out, c]; bias [out]
/// returns [out, 1, 1]
Planes inner_product_ref(const Planes& in, std::span<const float> weight, std::span<const float> bias);

}  // namespace weir::compute
