#pragma once

#include <cstdint>
#include <optional>

#include "base/bytes.hpp"

namespace weir {

/// How many files this process may have open at once (ulimit -n); empty: any number, or the system does not say.
std::optional<std::uint64_t> open_files_limit();

/// How many bytes of addresses it may use (ulimit -v); empty as above.
std::optional<Bytes> address_space_limit();

/// What that limit leaves beside the addresses that it uses now; empty if there is none.
std::optional<Bytes> available_address_space();

}  // namespace weir
