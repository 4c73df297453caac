#pragma once

#include "compute/kernels/planes/planes_ref.hpp"

namespace weir::compute {

// Reference implementations (_ref) of operations on two operands a and b, for tests of the fast kernels.

enum class Binary { add, sub, mul, div, rsub };  ///< rsub is b - a

/// Returns the result of the operation for each element. `b` has the shape of `a`, or is a vector [c, 1, 1] with one
/// value for each channel.
Planes binary_ref(Binary kind, const Planes& a, const Planes& b);
/// Returns the result of the operation with the same number `b` for all elements.
Planes binary_ref(Binary kind, const Planes& a, float b);

}  // namespace weir::compute
