#pragma once

#include "cli/command.hpp"

namespace weir::cli {

/// Runs `weir run -- COMMAND ::: ITEM...`, which runs one command per item.
ExitResult run_items(const Invocation& invocation);

}  // namespace weir::cli
