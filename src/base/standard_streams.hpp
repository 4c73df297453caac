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

/// Writes all of `text` to standard error, unbuffered; it may be called in the last moments of a process, on any thread. Errors
/// have nowhere to go and are dropped.
void write_standard_error(std::string_view text);
bool standard_error_is_terminal();
int standard_error_columns();  ///< of that terminal; 80 if it does not say

/// Until standard input ends, whatever it gives, or `stop` is asked for.
void wait_for_end_of_input(const std::stop_token& stop);

/// Everything that standard input gives. Errors: io; over_budget as soon as there is more than `limit`; cancelled.
Result<std::vector<std::byte>> read_standard_input(Bytes limit, std::stop_token stop);

}  // namespace weir
