#pragma once

#include <cstdint>
#include <optional>

#include "base/bytes.hpp"

namespace weir {

/// Returns how many files this process may have open at once (ulimit -n); empty if there is no limit or the system does
/// not report it.
std::optional<std::uint64_t> open_files_limit();

/// Returns how much address space this process may use (ulimit -v); empty as for open_files_limit().
std::optional<Bytes> address_space_limit();

/// Returns how much address space this process may still map: address_space_limit() minus what is mapped now; empty if
/// there is no limit.
std::optional<Bytes> available_address_space();

}  // namespace weir
