#pragma once

#include "compute/kernels/planes/planes_ref.hpp"

namespace weir::compute {

/// Reference implementation (for tests of the fast kernels): returns `in` without the given number of rows or columns
/// on each side. At least one row and one column must remain.
Planes crop_ref(const Planes& in, int top, int left, int bottom, int right);

}  // namespace weir::compute
