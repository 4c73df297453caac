#pragma once

#include <filesystem>
#include <string_view>

#include "base/result.hpp"

namespace weir::audit {

/// Writes a whole file at once or not at all; an old one keeps its mode. Errors: io; exists (and not `overwrite`).
Status write_text(const std::filesystem::path& path, std::string_view text, bool overwrite = true);

}  // namespace weir::audit
