#pragma once

#include <optional>
#include <string_view>

#include "base/bytes.hpp"

namespace weir {

/// Returns the largest resident memory of this process so far (VmHWM); zero if the system does not report it.
Bytes peak_resident_memory();

/// Returns the resident memory of this process now (VmRSS); zero if the system does not report it.
Bytes resident_memory();

/// Returns freed memory to the system, which the allocator keeps for later. Takes microseconds to milliseconds.
void return_free_memory();

/// Returns the value of a line such as "VmHWM: 39420 kB" in the text of /proc/self/status or /proc/meminfo. `field` is
/// the name before the colon. Returns an empty optional if there is no such line, or if it contains no number.
std::optional<Bytes> parse_status_field(std::string_view status, std::string_view field);

}  // namespace weir
