#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <stop_token>

#include "base/result.hpp"

namespace weir {

// Pipes, sockets and files that are open. None of these functions waits longer than 50 ms after a stop was requested. The
// messages of errors do not name the file.

/// Reads at most `bytes.size()` bytes from `fd`; waits for the first one. Returns how many; 0 at the end of the data.
/// Errors: io; cancelled.
Result<std::size_t> read_available(int fd, std::span<std::byte> bytes, const std::stop_token& stop);

/// Writes all of `bytes` to `fd`; waits while a pipe is full. Errors: io, also if the reader of a pipe is gone; disk_full;
/// cancelled.
Status write_available(int fd, std::span<const std::byte> bytes, const std::stop_token& stop);

/// Returns whether `fd` is a regular file, in which positions can be set.
bool is_regular_file(int fd);
/// Returns the size of a regular file in bytes. Errors: io.
Result<std::uint64_t> size_of_file(int fd);
/// Sets the position in a regular file. Errors: io.
Status set_position(int fd, std::uint64_t position);

}  // namespace weir
