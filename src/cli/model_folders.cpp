#include "cli/model_folders.hpp"

#include "base/this_process.hpp"
#include "nn/catalogue.hpp"

namespace weir::cli {

namespace fs = std::filesystem;

std::vector<fs::path> model_search_folders(const Arguments& args, const Environment& environment) {
  const fs::path program = program_file();  // PREFIX/bin/weir
  const fs::path prefix = program.parent_path().parent_path();
  auto folders = nn::model_folders(args.models, environment("HOME").value_or(""), prefix);
  if (!program.empty()) folders.push_back(program.parent_path() / "models");  // when weir runs from its build folder
  return folders;
}

}  // namespace weir::cli
