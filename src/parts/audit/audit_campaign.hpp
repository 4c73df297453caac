#pragma once

#include "cli/command.hpp"

namespace weir::parts {

using cli::Arguments;
using cli::ExitResult;
using cli::ExitStatus;
using cli::Invocation;

// A campaign fixes the findings of the audit in many files, in several git branches. Its commands are `weir audit
// plan`, `weir audit run` and `weir audit report`.

/// Returns true if the first operand is one of the verbs plan, run and report.
bool is_campaign_command(const Arguments& args);
/// Runs the command of the verb in the first operand, which must be plan, run or report.
ExitResult run_campaign(const Invocation& invocation);

}  // namespace weir::parts
