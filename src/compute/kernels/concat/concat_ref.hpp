#pragma once

#include <span>

#include "compute/kernels/planes/planes_ref.hpp"

namespace weir::compute {

/// The channels of all inputs, one after another; at least one input, all of one height and width.
Planes concat_ref(std::span<const Planes* const> inputs);

}  // namespace weir::compute
