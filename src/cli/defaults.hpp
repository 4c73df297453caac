#pragma once

#include <string>

#include "cli/arguments.hpp"

namespace weir::cli {

/// Returns the memory limit: the value of --ram; if it is not given, half of the memory that this process can still
/// allocate under the limits of the control groups and of its address space.
Bytes effective_ram(const Arguments& args);
/// Returns the number of threads: the value of --threads; if it is not given, the number of processors in the first
/// --device, or of all that this process may use, limited by the quota of the control groups.
int effective_threads(const Arguments& args);

// These functions return the same values as text, for Flag::default_value.
std::string effective_ram_text(const Arguments& args);
std::string effective_threads_text(const Arguments& args);

}  // namespace weir::cli
