#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace weir {

/// What tells cheaply that a file is the one it was.
struct FileFacts {
  std::uint64_t size = 0;
  std::int64_t mtime_ns = 0;  ///< since 1970
  bool operator==(const FileFacts&) const = default;
};

/// Of a regular file, links followed; empty if there is none. Thread-safe.
std::optional<FileFacts> file_facts(const std::filesystem::path& path);

/// Whether this process may start the file as a program.
bool is_executable(const std::filesystem::path& path);

/// Whether this process may make files in the folder.
bool is_writable_folder(const std::filesystem::path& path);

/// XXH3-128 of the contents as 32 hexadecimal digits, in XXH's canonical order. Reads the file once in pieces of 1 MiB.
/// Thread-safe. Errors: io.
Result<std::string> hash_file(const std::filesystem::path& path);

/// Of the bytes of a text, in the same form.
std::string hash_text(std::string_view text);

/// fsync of the folder, so that the names in it last. A file system that cannot do it (EINVAL) is no error. Errors: io.
Status sync_folder(const std::filesystem::path& folder);

/// Takes a name away; that it is not there is no error. Errors: io.
Status remove_file(const std::filesystem::path& path);

/// The text of a file of at most `most` bytes; empty if there is none. Errors: io; corrupt if it is longer.
Result<std::optional<std::string>> read_bounded_file(const std::filesystem::path& path, std::size_t max_bytes);

}  // namespace weir
