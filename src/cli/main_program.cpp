#include "cli/main_program.hpp"

#include <exception>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "base/signals.hpp"
#include "base/text.hpp"
#include "base/threads.hpp"

namespace weir::cli {
namespace {

ExitResult run(const std::vector<std::string>& arguments, const PartCommand* part_command) {
  try {
    return run_command_line(arguments, part_command);
  } catch (const std::exception& problem) {
    if (const auto refusal = resource_error_of(problem)) return {ExitStatus::nothing_started, refusal->what};
    return {ExitStatus::internal_error, std::string{"an internal error of weir: "} + printable(problem.what())};
  }
}

}  // namespace

int main_program(int argc, char** argv, const PartCommand* part_command) {
  prepare_standard_streams();
  std::vector<std::string> arguments{argv + (argc > 0 ? 1 : 0), argv + argc};
  const bool is_worker = part_command != nullptr && part_command->task_factories != nullptr && !arguments.empty() &&
                         arguments.front() == "worker";
  // A part's program runs only the part's command, so its arguments do not name the command. But if the coordinator
  // starts it as a worker, the command is "worker".
  if (part_command != nullptr && !is_worker) arguments.insert(arguments.begin(), std::string{part_command->name});
  const ExitResult result = run(arguments, part_command);
  try {
    if (const std::string missing = missing_threads_message(); !missing.empty())
      fmt::print(stderr, "warning: {}\n", missing);
    if (!result.message.empty()) fmt::print(stderr, "error: {}\n", result.message);
  } catch (const std::exception&) {
    // standard error is closed; only the exit status reports the error
  }
  return static_cast<int>(result.status);
}

}  // namespace weir::cli
