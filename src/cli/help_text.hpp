#pragma once

#include <string>

#include "cli/command.hpp"

namespace weir::cli {

std::string program_help();                        ///< returns the list of commands
std::string command_help(const Command& command);  ///< returns usage, examples and flags, wrapped at 80 columns
std::string manual_page();                         ///< returns the manual page weir(1) in roff

/// Returns a heading such as "-o, --output OUTPUT".
std::string flag_heading(const Flag& flag);

}  // namespace weir::cli
