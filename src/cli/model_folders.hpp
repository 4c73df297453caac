#pragma once

#include <filesystem>
#include <vector>

#include "base/paths.hpp"
#include "cli/arguments.hpp"

namespace weir::cli {

/// Where networks are searched after --model: $WEIR_MODELS or the setting `models`, the user's folder
/// (~/.local/share/weir/models), the installed folder (share/weir/models beside the program's bin).
std::vector<std::filesystem::path> model_folders(const Arguments& args, const Environment& environment);

}  // namespace weir::cli
