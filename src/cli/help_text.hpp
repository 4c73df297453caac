#pragma once

#include <string>

#include "cli/command.hpp"

namespace weir::cli {

std::string program_help();                        ///< the commands
std::string command_help(const Command& command);  ///< usage and flags, at most 80 columns
std::string manual_page();                         ///< roff, weir(1)

/// "-o, --output OUTPUT"
std::string flag_heading(const Flag& flag);

}  // namespace weir::cli
