#include "runs/worker_program.hpp"

#include <filesystem>
#include <system_error>

#include "base/this_process.hpp"

namespace weir::runs {

std::vector<std::string> worker_arguments() {
  std::error_code problem;
  const std::filesystem::path program = program_file();
  const bool file_exists = !program.empty() && std::filesystem::exists(program, problem);
  return {file_exists ? program.native() : "/proc/self/exe", "worker"};
}

}  // namespace weir::runs
