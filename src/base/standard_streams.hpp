#pragma once

#include <cstddef>
#include <stop_token>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"

namespace weir {

/// Writes all of `text` to standard output, unbuffered. Errors: io, as for a pipe that nobody reads any more.
Status write_standard_output(std::string_view text);

/// Everything that standard input gives. Errors: io; over_budget as soon as there is more than `limit`; cancelled.
Result<std::vector<std::byte>> read_standard_input(Bytes limit, std::stop_token stop);

}  // namespace weir
