#pragma once

#include "cli/command.hpp"

namespace weir::parts {

/// Runs `weir audit`, which checks how Python programs select GPUs.
cli::ExitResult run_audit(const cli::Invocation& invocation);

}  // namespace weir::parts
