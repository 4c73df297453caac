#pragma once

#include "base/result.hpp"
#include "weir/upscale.hpp"

namespace weir::api {

/// An error of the inside as those outside know it.
Problem to_problem(const Error& error);

}  // namespace weir::api
