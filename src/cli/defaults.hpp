#pragma once

#include <string>

#include "cli/arguments.hpp"

namespace weir::cli {

/// Returns the memory limit: the value of --ram. If it is not given, returns half of the memory that this process can
/// still allocate under the limits of the control groups and of its address space.
Bytes effective_ram(const Arguments& args);
/// Returns the number of threads: the value of --threads. If it is not given, returns the number of processors that the
/// first device of --device names; if it names none, the number of all that this process may use. This number is then
/// limited by the quota of the control groups.
int effective_threads(const Arguments& args);

// These functions return the same values as text, for Flag::default_value.
std::string effective_ram_text(const Arguments& args);
std::string effective_threads_text(const Arguments& args);

}  // namespace weir::cli
