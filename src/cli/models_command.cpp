#include "cli/command.hpp"
#include "cli/model_folders.hpp"

namespace weir::cli {

Ending run_models(const Invocation&) { return {}; }

}  // namespace weir::cli
