#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace weir {

/// Text of a small file, as /proc and /sys have them; empty if it cannot be read.
std::string read_small_file(const std::filesystem::path& path);

/// The number that such a file starts with, decimal or with 0x; empty if it starts with none.
std::optional<std::uint64_t> read_number_file(const std::filesystem::path& path);

}  // namespace weir
