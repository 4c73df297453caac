#pragma once

#include "cli/command.hpp"

namespace weir::parts {

using cli::Arguments;
using cli::ExitResult;
using cli::ExitStatus;
using cli::Invocation;

/// `weir audit plan`, `run` and `report`: the first operand says which.
bool is_campaign_command(const Arguments& args);
ExitResult run_campaign(const Invocation& invocation);

}  // namespace weir::parts
