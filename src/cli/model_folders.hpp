#pragma once

#include <filesystem>
#include <vector>

#include "base/paths.hpp"
#include "cli/arguments.hpp"

namespace weir::cli {

/// Returns the folders in which networks are searched if --model is not given, in this order: those of --models (also
/// $WEIR_MODELS or the setting `models`), the user's folder, the folder that is installed with the program, and the
/// folder `models` beside the program's file.
std::vector<std::filesystem::path> model_search_folders(const Arguments& args, const Environment& environment);

}  // namespace weir::cli
