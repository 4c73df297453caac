#pragma once

#include "compute/kernels/padding/padding.hpp"
#include "compute/kernels/planes/planes_ref.hpp"

namespace weir::compute {

/// Reference implementation (for tests of the fast kernels): returns `in` with the given number of rows or columns
/// added on each side. `value` is the constant of PaddingMode::constant.
Planes padding_ref(const Planes& in, int top, int left, int bottom, int right, PaddingMode mode, float value);

}  // namespace weir::compute
