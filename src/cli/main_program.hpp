#pragma once

#include "cli/command.hpp"

namespace weir::cli {

/// The command that a part runs. A part is a separate program for one command of weir (cli/part.hpp).
struct PartCommand {
  std::string_view name;
  ExitResult (*run)(const Invocation& invocation);
  /// Returns the kinds of tasks that worker processes of the part (`weir-NAME worker`) run; null: the part has no
  /// workers.
  jobs::TaskFactories (*task_factories)() = nullptr;
};

/// Implements main(): prepares the process, runs the command line, prints the error on standard error, and returns the
/// exit status. `part_command`: null in the base program, whose first argument is the command's name; in a part, its
/// command, whose name is not among the arguments.
int main_program(int argc, char** argv, const PartCommand* part_command = nullptr);

}  // namespace weir::cli
