#pragma once

#include "compute/kernels/planes/planes_ref.hpp"

namespace weir::compute {

/// Resizing to (int)(extent * scale) on both axes, the result at least one pixel.
/// Pixel x of the result is pixel floor(x / scale) of the input, at most the last one.
Planes interp_nearest_ref(const Planes& in, float scale);
/// Two taps at half-pixel centres, the edges repeated.
Planes interp_bilinear_ref(const Planes& in, float scale);
/// Four taps of the cubic convolution kernel with A = -0.75 at half-pixel centres, the edges repeated; not widened when
/// the picture becomes smaller.
/// Source: Keys, "Cubic Convolution Interpolation for Digital Image Processing", IEEE ASSP 29 (1981)
Planes interp_bicubic_ref(const Planes& in, float scale);

}  // namespace weir::compute
