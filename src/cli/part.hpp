#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "cli/command.hpp"

namespace weir::cli {

// A part is a separate program, weir-NAME, that runs one command of weir and links libraries that the base program does
// not need (docs/parts.md). It is installed in the folder of the base program or in ../libexec/weir/.

/// Returns the path of a part's program; empty if there is no such file. Does not check that the program can be
/// started.
std::filesystem::path find_part_program(std::string_view name);

/// Returns the name of the distribution's package that contains a part.
std::string part_package(std::string_view name);

/// Replaces this process with the part's program (exec). `arguments`: the arguments after the command's name. Returns
/// only if the program does not exist or cannot be started, with the error.
ExitResult run_part(std::string_view name, const std::vector<std::string>& arguments);

}  // namespace weir::cli
