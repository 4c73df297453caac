#pragma once

#include <cstdint>
#include <filesystem>
#include <string_view>

#include "base/atomic_file.hpp"
#include "base/result.hpp"

namespace weir {

// The three open functions use O_CLOEXEC. On failure they return an empty FileDescriptor and set errno.

/// Opens a file for reading.
FileDescriptor open_to_read(const std::filesystem::path& path);

/// Opens a file for appending and creates it if it is missing.
FileDescriptor open_to_append(const std::filesystem::path& path);

/// Creates a file for appending; fails if it exists.
FileDescriptor open_new(const std::filesystem::path& path);

/// Appends `text` with a single write() to the file `fd`, which is open for appending, so that lines that several
/// processes append to one file stay whole. Errors: io; disk_full, also if only a part was written. The message is that
/// of errno_text() and does not name the file.
Status append_in_one_write(int fd, std::string_view text);

/// Renames the file `path`, which is open as `fd`, to PATH.1 if it is longer than `max_bytes`. Returns true if the
/// caller must open PATH again, because this or another process has renamed the file. Before it renames, a process
/// takes the lock of the file, which it holds until it closes `fd`. So if several processes find the same long file,
/// only one renames it: a second rename would move the new file over the old one.
bool rotate_if_long(const std::filesystem::path& path, int fd, std::uint64_t max_bytes);

/// Calls fsync, so that everything written to `fd` so far survives a loss of power. Errors: io, disk_full; the message
/// is that of errno_text().
Status sync_file(int fd);

}  // namespace weir
