#pragma once

#include "compute/kernels/planes/planes_ref.hpp"

namespace weir::compute {

/// Takes rows and columns away on each side; at least one of each stays.
Planes crop_ref(const Planes& in, int top, int left, int bottom, int right);

}  // namespace weir::compute
