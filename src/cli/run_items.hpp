#pragma once

#include "cli/command.hpp"

namespace weir::cli {

/// `weir run` of one command per item.
ExitResult run_items(const Invocation& invocation);

}  // namespace weir::cli
