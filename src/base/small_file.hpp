#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace weir {

/// Returns the text of a small file such as those in /proc and /sys; empty if it cannot be read.
std::string read_small_file(const std::filesystem::path& path);

/// Returns the number at the start of a small file, decimal or hexadecimal with 0x; empty if there is none.
std::optional<std::uint64_t> read_number_file(const std::filesystem::path& path);

}  // namespace weir
