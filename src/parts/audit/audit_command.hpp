#pragma once

#include "cli/command.hpp"

namespace weir::parts {

/// `weir audit`.
cli::Ending run_audit(const cli::Invocation& invocation);

}  // namespace weir::parts
