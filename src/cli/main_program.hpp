#pragma once

#include "cli/command.hpp"

namespace weir::cli {

/// The command that a part's program does (cli/part.hpp).
struct PartCommand {
  std::string_view name;
  ExitResult (*run)(const Invocation& invocation);
  jobs::TaskFactories (*task_factories)() = nullptr;  ///< what its workers do (`weir-NAME worker`); null: it has none
};

/// All of main(): prepares the process, runs the words, says what went wrong on standard error, and gives the exit status.
/// `own`: of a part's program, whose words follow the command's name; null in the base.
int main_program(int argc, char** argv, const PartCommand* part_command = nullptr);

}  // namespace weir::cli
