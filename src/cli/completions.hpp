#pragma once

#include <string>
#include <string_view>

namespace weir::cli {

/// Returns the shell script that completes the command lines of weir. `shell`: "bash", "zsh" or "fish".
std::string completions_for(std::string_view shell);

}  // namespace weir::cli
