#pragma once

#include "compute/kernels/planes/planes_ref.hpp"

namespace weir::compute {

// Reference implementations (_ref) of resizing, for tests of the fast kernels. Height and width of the result are
// (int)(height * scale) and (int)(width * scale); both must be at least 1. A tap is an input pixel that is read for an
// output pixel. Half-pixel centres: the centre of output pixel x is at (x + 0.5) * input width / output width - 0.5 of
// the input.

/// Nearest neighbour: pixel x of the result is pixel floor(x / scale) of the input, or the last pixel if this is beyond
/// the edge; rows in the same way.
Planes interp_nearest_ref(const Planes& in, float scale);
/// Interpolates with two taps on each axis at half-pixel centres; edge pixels are repeated.
Planes interp_bilinear_ref(const Planes& in, float scale);
/// Interpolates with four taps on each axis, weighted by the cubic convolution kernel (its parameter a is -0.75), at
/// half-pixel centres; edge pixels are repeated. The kernel is not widened when the picture is reduced.
/// Source: Keys, "Cubic Convolution Interpolation for Digital Image Processing", IEEE ASSP 29 (1981).
Planes interp_bicubic_ref(const Planes& in, float scale);

}  // namespace weir::compute
