#pragma once

#include "cli/command.hpp"

namespace weir::parts {

/// Runs `weir film`.
cli::ExitResult run_film(const cli::Invocation& invocation);

}  // namespace weir::parts
