#pragma once

#include <optional>
#include <string_view>

#include "base/bytes.hpp"

namespace weir {

/// The most memory that this process has held at once since it started (VmHWM); zero if the system does not say.
Bytes peak_resident_memory();

/// The memory that this process holds now (VmRSS); zero if the system does not say.
Bytes resident_memory();

/// The value of a line such as "VmHWM:     39420 kB" of /proc/self/status; empty if there is none.
std::optional<Bytes> parse_status_field(std::string_view status, std::string_view field);

}  // namespace weir
