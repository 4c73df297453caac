#pragma once

#include <span>

#include "compute/kernels/planes/planes_ref.hpp"

namespace weir::compute {

/// Parameters of a convolution. Kernel size and stride are the same on both axes; `pad` zeros are added on every side.
struct ConvGeometry {
  int out_channels = 1, kernel = 1, stride = 1, pad = 0;
};

/// Reference implementation of a convolution (a cross-correlation: the kernel is not mirrored). Tests compare the fast
/// kernels with it.
/// in      [c, h, w]
/// weight  [out, c, kernel, kernel]; bias [out]
/// returns [out, (h + 2 * pad - kernel) / stride + 1, (w + 2 * pad - kernel) / stride + 1]; each value starts with the
///         bias, then the products are added in the order of c, y, x, in float32
/// h + 2 * pad and w + 2 * pad must be at least `kernel`.
Planes conv_ref(const Planes& in, const ConvGeometry& geometry, std::span<const float> weight,
                std::span<const float> bias);

}  // namespace weir::compute
