#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace weir {

/// Size and modification time of a file. Comparing them is a cheap test whether the file has changed.
struct FileFacts {
  std::uint64_t size = 0;     ///< in bytes
  std::int64_t mtime_ns = 0;  ///< modification time in nanoseconds since 1970
  bool operator==(const FileFacts&) const = default;
};

/// Returns the size and modification time of a regular file; follows symbolic links. Returns an empty optional if there
/// is no such file or it cannot be examined. Thread-safe.
std::optional<FileFacts> file_facts(const std::filesystem::path& path);

/// Checks that `path` may be replaced or continued by a program that writes files beginning with `beginning`: there is
/// nothing at `path`, or something that is no regular file (such as /dev/stderr), or an empty file, or a file that begins
/// so. `kind`: name of such files for the message, "report of weir". Errors: exists.
Status check_own_file(const std::filesystem::path& path, std::string_view beginning, std::string_view kind);

/// Returns whether this process may execute the file.
bool is_executable(const std::filesystem::path& path);

/// Returns whether this process may create files in the folder.
bool is_writable_folder(const std::filesystem::path& path);

/// Returns the XXH3-128 hash of the file's contents as 32 hexadecimal digits, most significant first. Reads the file
/// once, in pieces of 1 MiB, and calls `progress` (may be empty) after each piece. Thread-safe. Errors: io.
Result<std::string> hash_file(const std::filesystem::path& path, const std::function<void()>& progress = {});

/// Returns the hash of a text in the same form.
std::string hash_text(std::string_view text);

/// Calls fsync on the folder (an empty path is the working folder), so that its file names survive a loss of power. A
/// file system that does not support this (EINVAL) is not an error. Errors: io, disk_full.
Status sync_folder(const std::filesystem::path& folder);

/// Removes a file; a missing file is not an error. Errors: io.
Status remove_file(const std::filesystem::path& path);

/// Returns the contents of a regular file of at most `max_bytes` bytes, or an empty optional if there is no file at
/// `path`. Errors: io; corrupt (the file is longer, or is not a regular file).
Result<std::optional<std::string>> read_bounded_file(const std::filesystem::path& path, std::size_t max_bytes);

}  // namespace weir
