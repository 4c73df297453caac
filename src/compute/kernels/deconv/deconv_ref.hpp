#pragma once

#include <span>

#include "compute/kernels/conv/conv_ref.hpp"
#include "compute/kernels/planes/planes_ref.hpp"

namespace weir::compute {

/// Transposed convolution: every input pixel adds weight * value to a kernel x kernel square of the output, the squares
/// `stride` apart; then `pad` pixels are taken away on every side.
/// in      [c, h, w]
/// weight  [out, c, kernel, kernel]; bias [out]
/// returns [out, (h - 1) * stride + kernel - 2 * pad, likewise]
/// Needs   pad below the kernel, and an output of at least one pixel
Planes deconv_ref(const Planes& in, const ConvGeometry& geometry, std::span<const float> weight,
                  std::span<const float> bias);

}  // namespace weir::compute
