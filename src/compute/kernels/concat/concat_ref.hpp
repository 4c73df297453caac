#pragma once

#include <span>

#include "compute/kernels/planes/planes_ref.hpp"

namespace weir::compute {

/// Reference implementation (for tests of the fast kernels): concatenates the channels of all inputs, in their order.
/// There is at least one input, and all have the same height and width.
Planes concat_ref(std::span<const Planes* const> inputs);

}  // namespace weir::compute
