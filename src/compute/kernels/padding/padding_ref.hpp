#pragma once

#include "compute/kernels/padding/padding.hpp"
#include "compute/kernels/planes/planes_ref.hpp"

namespace weir::compute {

/// Adds rows and columns on each side; `value` is the constant.
Planes padding_ref(const Planes& in, int top, int left, int bottom, int right, PaddingMode mode, float value);

}  // namespace weir::compute
