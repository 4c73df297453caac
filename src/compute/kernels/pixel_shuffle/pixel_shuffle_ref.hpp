#pragma once

#include "compute/kernels/planes/planes_ref.hpp"

namespace weir::compute {

/// [c * r * r, h, w] -> [c, h * r, w * r]: channel (c * r + y) * r + x goes to pixel (y, x) of its block.
Planes pixel_shuffle_ref(const Planes& in, int factor);

}  // namespace weir::compute
