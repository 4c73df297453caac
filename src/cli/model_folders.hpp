#pragma once

#include <filesystem>
#include <vector>

#include "base/paths.hpp"
#include "cli/arguments.hpp"

namespace weir::cli {

/// Where networks are searched without --model: $WEIR_MODELS (or the setting `models`), the user's folder, the folder
/// installed beside the program.
std::vector<std::filesystem::path> model_search_folders(const Arguments& args, const Environment& environment);

}  // namespace weir::cli
