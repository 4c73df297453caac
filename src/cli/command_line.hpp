#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "cli/flags.hpp"

namespace weir::cli {

/// A flag that was given on the command line.
struct GivenFlag {
  const Flag* flag;
  std::string text;  ///< its value; "true" for a switch
};

/// The parsed arguments of a command.
struct CommandLine {
  std::vector<GivenFlag> flags;
  std::vector<std::string> operands;  ///< arguments that are not flags; also those in external_arguments
  /// Only the arguments after "--", unchanged: the external program and its arguments.
  std::vector<std::string> external_arguments;
  bool has_separator = false;  ///< the command line contains "--"

  /// Returns true if the flag with this name, such as "--scale", was given, also by its letter.
  bool has_flag(std::string_view name) const;
};

/// Splits the arguments of a command into flags and operands. `flags`: the flags that the command has. Errors:
/// invalid_argument (unknown flag, missing value, a flag other than a switch given twice, flags that exclude each
/// other).
Result<CommandLine> parse_command_line(std::span<const Flag> flags, std::vector<std::string> arguments);

}  // namespace weir::cli
