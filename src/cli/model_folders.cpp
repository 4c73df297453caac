#include "cli/model_folders.hpp"

#include <system_error>

namespace weir::cli {

namespace fs = std::filesystem;

std::vector<fs::path> model_folders(const Arguments& args, const Environment& environment) {
  std::vector<fs::path> folders;
  if (!args.models.empty()) folders.emplace_back(args.models);
  if (auto data = environment("XDG_DATA_HOME"))
    folders.push_back(fs::path{*data} / "weir/models");
  else if (auto home = environment("HOME"))
    folders.push_back(fs::path{*home} / ".local/share/weir/models");
  std::error_code problem;
  const fs::path program = fs::read_symlink("/proc/self/exe", problem);
  if (!problem) folders.push_back(program.parent_path().parent_path() / "share/weir/models");
  return folders;
}

}  // namespace weir::cli
