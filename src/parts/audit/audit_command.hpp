#pragma once

#include "cli/command.hpp"

namespace weir::parts {

/// `weir audit`.
cli::ExitResult run_audit(const cli::Invocation& invocation);

}  // namespace weir::parts
