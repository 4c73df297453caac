#pragma once

#include <string>
#include <string_view>

namespace weir::cli {

/// The completions of weir for "bash", "zsh" or "fish".
std::string completions_for(std::string_view shell);

}  // namespace weir::cli
