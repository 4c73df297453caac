#pragma once

#include <cstdint>
#include <filesystem>
#include <string_view>

#include "base/atomic_file.hpp"
#include "base/result.hpp"

namespace weir {

// Files that a child does not get. None comes back if a file cannot be opened; errno tells why.

FileDescriptor open_to_read(const std::filesystem::path& path);

/// For writing at its end; made if it is missing.
FileDescriptor open_to_append(const std::filesystem::path& path);

/// The same; but it must be missing.
FileDescriptor open_new(const std::filesystem::path& path);

/// With one call, so that lines of several processes in one file stay whole. Errors: io; disk_full, also if there was room for a
/// part only; the text is that of errno_text.
Status append_in_one_write(int fd, std::string_view text);

/// Renames a file, open as `file`, that is longer than `longest` bytes to PATH.1; true if PATH is to be opened anew. Of several
/// processes that see the same long file one renames it, under its lock: a second rename would put the new file in the place
/// of the old one.
bool rotate_if_long(const std::filesystem::path& path, int fd, std::uint64_t max_bytes);

/// What was written lasts from here on. Errors: io, disk_full; the text is that of errno_text.
Status sync_file(int fd);

}  // namespace weir
