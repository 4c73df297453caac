#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "cli/flags.hpp"

namespace weir::cli {

/// A flag that was given, with its text; "true" for a switch.
struct GivenFlag {
  const Flag* flag;
  std::string text;
};

struct CommandLine {
  std::vector<GivenFlag> flags;
  std::vector<std::string> operands;
  std::vector<std::string> external_arguments;  ///< the words after "--", as they are; they are among the operands too
  bool has_separator = false;                   ///< "--" was there

  bool has_flag(std::string_view name) const;
};

/// Splits the words after the command into flags and operands. Errors: invalid_argument (unknown flag, missing value,
/// given twice, two flags that exclude each other).
Result<CommandLine> parse_command_line(std::span<const Flag> flags, std::vector<std::string> arguments);

}  // namespace weir::cli
