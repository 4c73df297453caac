#pragma once

#include <span>

#include "compute/kernels/planes/planes_ref.hpp"

namespace weir::compute {

/// A kernel and a stride are the same on both axes; zeros are added on every side.
struct ConvGeometry {
  int out_channels = 1, kernel = 1, stride = 1, pad = 0;
};

/// Cross-correlation, the definition that every faster variant is compared with.
/// in      [c, h, w]
/// weight  [out, c, kernel, kernel]; bias [out]
/// returns [out, (h + 2 * pad - kernel) / stride + 1, likewise]; each value is the bias and then the products in the
///         order of c, y, x, summed in float32
/// Needs   h and w + 2 * pad of at least the kernel
Planes conv_ref(const Planes& in, const ConvGeometry& geometry, std::span<const float> weight,
                std::span<const float> bias);

}  // namespace weir::compute
