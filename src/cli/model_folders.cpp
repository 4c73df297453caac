#include "cli/model_folders.hpp"

#include <system_error>

#include "nn/catalogue.hpp"

namespace weir::cli {

namespace fs = std::filesystem;

std::vector<fs::path> search_folders(const Arguments& args, const Environment& environment) {
  std::error_code problem;
  const fs::path program = fs::read_symlink("/proc/self/exe", problem);  // PREFIX/bin/weir
  const fs::path prefix = problem ? fs::path{} : program.parent_path().parent_path();
  auto folders = nn::model_folders(args.models, environment("HOME").value_or(""), prefix);
  if (!problem) folders.push_back(program.parent_path() / "models");  // where it was built
  return folders;
}

}  // namespace weir::cli
