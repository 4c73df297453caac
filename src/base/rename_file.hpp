#pragma once

#include <filesystem>

#include "base/result.hpp"

namespace weir {

/// Renames a file within one file system. With `replace`, `to` may exist: it is replaced, and the renamed file takes
/// over its mode, so that a private picture stays private. Without `replace` an existing file is never replaced, even
/// if it appeared just before.
/// Errors: exists (there is such a file and `replace` is false), io, disk_full.
Status rename_file(const std::filesystem::path& from, const std::filesystem::path& to, bool replace);

}  // namespace weir
