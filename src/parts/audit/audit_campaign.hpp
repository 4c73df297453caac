#pragma once

#include "cli/command.hpp"

namespace weir::parts {

using cli::Arguments;
using cli::Ending;
using cli::Exit;
using cli::Invocation;

/// `weir audit plan`, `run` and `report`: the first operand says which.
bool is_campaign(const Arguments& args);
Ending run_campaign(const Invocation& invocation);

}  // namespace weir::parts
