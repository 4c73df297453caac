#pragma once

#include <string>
#include <vector>

#include "cli/command.hpp"

namespace weir::cli {

/// Returns an error message if the arguments of `command` name an external program without "--" before it. The message
/// contains the corrected command line: "'--' is missing before the command: weir run -- python3 -c 'print(1)'".
/// Returns an empty text if "--" is there, the command runs no external program, or an unknown flag or a flag without
/// its value precedes the program.
std::string missing_separator_message(const Command& command, const std::vector<std::string>& arguments);

/// Returns the exit status for wrong usage of the command. It is 125 (own_failure) if the command returns the status of
/// an external program, because that status may itself be 2. Otherwise it is 2 (wrong_usage), also for `weir run` with
/// items (:::), which does not return the status of a program.
ExitStatus wrong_usage_status(const Command& command, const std::vector<std::string>& arguments);

/// Quotes an argument for a shell if necessary. An argument with control characters or bytes that are not UTF-8 becomes
/// $'...', which bash and zsh read.
std::string quote_for_shell(const std::string& argument);

}  // namespace weir::cli
