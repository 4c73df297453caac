#pragma once

#include <cstddef>
#include <stop_token>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"

namespace weir {

/// Writes all of `text` to standard output, unbuffered. Errors: io, for example when the reader closed the pipe.
Status write_standard_output(std::string_view text);

/// Writes all of `text` to standard error, unbuffered. It may be called on any thread, even just before the process
/// exits. Errors are dropped, because there is no place to report them.
void write_standard_error(std::string_view text);
/// Returns whether standard error is a terminal.
bool standard_error_is_terminal();
int standard_error_columns();  ///< Returns the width of the terminal on standard error in characters; 80 if unknown.

/// Reads and discards standard input until it ends or `stop` is requested.
void wait_for_end_of_input(const std::stop_token& stop);

/// Reads standard input until it ends and returns its contents. Errors: io; over_budget as soon as there is more than
/// `limit`; cancelled as soon as `stop` is requested.
Result<std::vector<std::byte>> read_standard_input(Bytes limit, std::stop_token stop);

}  // namespace weir
