#pragma once

#include <string>
#include <vector>

#include "cli/command.hpp"

namespace weir::cli {

/// What to tell where the words of another program stand in the words of a command without "--" before them, with the
/// command line as it should be: "'--' is missing before the command: weir run -- python3 -c 'print(1)'". Empty if nothing
/// is missing, the command runs no other program, or an unknown flag stands before that program.
std::string missing_separator_message(const Command& command, const std::vector<std::string>& arguments);

/// How wrong usage ends: with 125 where the other program's status passes through, which may be 2 itself; else with 2, also
/// for a run of items, whose statuses are weir's own.
ExitStatus wrong_usage_status(const Command& command, const std::vector<std::string>& arguments);

/// A word as a shell reads it: in quotes where it has to be.
std::string quote_for_shell(const std::string& argument);

}  // namespace weir::cli
