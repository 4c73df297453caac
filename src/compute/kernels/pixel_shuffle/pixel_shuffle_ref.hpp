#pragma once

#include "compute/kernels/planes/planes_ref.hpp"

namespace weir::compute {

/// Reference implementation of a pixel shuffle (for tests of the fast kernels). With r = factor:
/// [c * r * r, h, w] -> [c, h * r, w * r]; channel (c * r + y) * r + x of an input pixel becomes pixel (y, x) of a
/// block of r x r pixels in channel c.
Planes pixel_shuffle_ref(const Planes& in, int factor);

}  // namespace weir::compute
