#pragma once

#include "compute/kernels/planes/planes_ref.hpp"

namespace weir::compute {

/// rsub is b - a.
enum class Binary { add, sub, mul, div, rsub };

/// Element by element. b has the shape of a, or is a vector [c, 1, 1] of one value per channel.
Planes binary_ref(Binary kind, const Planes& a, const Planes& b);
/// The same with one number for all elements.
Planes binary_ref(Binary kind, const Planes& a, float b);

}  // namespace weir::compute
