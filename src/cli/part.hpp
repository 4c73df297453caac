#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "cli/command.hpp"

namespace weir::cli {

/// A part is a program of its own, weir-NAME, that does one command of weir and brings libraries that the base does without
/// (docs/parts.md). It stands beside the base's own program, or in ../libexec/weir/ of it.

/// The file of a part program; empty if it is not there. Whether it can be started is seen when it is.
std::filesystem::path find_part_program(std::string_view name);

/// The package that has a part.
std::string part_package(std::string_view name);

/// Becomes the part's program, with the words that follow the command; returns only if that cannot be.
ExitResult run_part(std::string_view name, const std::vector<std::string>& arguments);

}  // namespace weir::cli
