#pragma once

#include "compute/kernels/planes/planes_ref.hpp"

namespace weir::compute {

/// Reference implementation (for tests of the fast kernels): returns the mean of each channel over all pixels, summed
/// in double: [c, h, w] -> [c, 1, 1].
Planes global_average_ref(const Planes& in);

}  // namespace weir::compute
