#pragma once

#include <span>

#include "compute/kernels/conv/conv_ref.hpp"
#include "compute/kernels/planes/planes_ref.hpp"

namespace weir::compute {

/// Reference implementation of a transposed convolution (for tests of the fast kernels): every input pixel adds
/// weight * value to a kernel x kernel square of the output; squares of adjacent pixels are `stride` pixels apart. Then
/// `pad` pixels are removed on every side.
/// in      [c, h, w]
/// weight  [out, c, kernel, kernel]; bias [out]
/// returns [out, (h - 1) * stride + kernel - 2 * pad, (w - 1) * stride + kernel - 2 * pad]
/// `pad` must be less than `kernel`, and the output must have at least one pixel.
Planes deconv_ref(const Planes& in, const ConvGeometry& geometry, std::span<const float> weight,
                  std::span<const float> bias);

}  // namespace weir::compute
