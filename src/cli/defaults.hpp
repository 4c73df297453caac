#pragma once

#include <string>

#include "cli/arguments.hpp"

namespace weir::cli {

/// The line: --ram, or half of the memory that is free under every control group.
Bytes effective_ram(const Arguments& args);
/// --threads, or the processors of --device that are allowed, bound by the quota of the control groups.
int effective_threads(const Arguments& args);

std::string effective_ram_text(const Arguments& args);  ///< as text, for `weir config`
std::string effective_threads_text(const Arguments& args);

}  // namespace weir::cli
