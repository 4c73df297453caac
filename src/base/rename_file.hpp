#pragma once

#include <filesystem>

#include "base/result.hpp"

namespace weir {

/// Gives a file another name on the same file system. With `replace` it takes the place of a file that has the name, and its
/// mode: a private picture stays private. Without it an existing file is never replaced, also if it appeared meanwhile.
/// Errors: exists (and not `replace`), io, disk_full.
Status rename_file(const std::filesystem::path& from, const std::filesystem::path& to, bool replace);

}  // namespace weir
