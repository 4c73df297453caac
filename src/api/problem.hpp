#pragma once

#include "base/result.hpp"
#include "weir/upscale.hpp"

namespace weir::api {

/// Converts an internal error to the Problem of the public interface.
Problem to_problem(const Error& error);

}  // namespace weir::api
