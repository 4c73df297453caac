#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cli/exit_result.hpp"
#include "cli/flags.hpp"
#include "cli/settings.hpp"
#include "jobs/task.hpp"

namespace weir::cli {

/// The input of a command of weir: what the function that runs the command receives.
struct Invocation {
  const CommandLine& command_line;
  const Settings& settings;                 ///< the settings after all layers, the command line included
  const Environment& environment;           ///< empty for a command that reads no settings
  jobs::TaskFactories (*task_factories)();  ///< returns the kinds of tasks that worker processes of this program run
  const Arguments& args() const { return settings.args; }
};

/// A usage line or an example, with its explanation.
struct UsageLine {
  std::string_view text;  ///< usage: the text after "weir COMMAND"; example: a whole shell command
  std::string_view explanation;
};

/// Present in a command that runs an external program, such as `weir run -- python3 train.py`. The program's name and
/// arguments follow "--".
struct ExternalProgram {
  std::string_view verb = {};  ///< the command runs the program only with this verb; empty: the command has no verbs
};

/// A command of weir, such as `weir run`.
struct Command {
  std::string_view name;
  /// Operands and required flags, as text for the usage line: "INPUT... -o OUTPUT". Empty: the command has no operands.
  std::string_view operands;
  std::string_view summary;      ///< one line of text
  std::string_view description;  ///< text for the help and the manual page
  /// Usage lines; empty if `operands` is enough. A line that starts with a lower-case word (operands are upper-case)
  /// describes the verb of that name.
  std::vector<UsageLine> usages;
  std::vector<UsageLine> examples;  ///< they work as printed if the named files exist
  std::span<const Flag> flags;
  bool reads_settings;  ///< reads settings files and WEIR_* variables; --help works even if these are wrong
  /// Runs the command. Null: a separate program, the part with the command's name, runs it (cli/part.hpp).
  ExitResult (*run)(const Invocation& invocation);
  std::optional<ExternalProgram> external_program = {};
};

/// Returns the verbs of a command, such as "list", "wait" and "hold" of `weir lease`; empty if it has no verbs.
std::vector<std::string_view> list_verbs(const Command& command);

std::span<const Command> commands();            ///< returns the commands for users
std::vector<std::string_view> command_names();  ///< returns the names of commands()
/// Returns the command with this name, also the internal command `worker`; null if there is none.
const Command* find_command(std::string_view name);

struct PartCommand;

/// Runs the command line `arguments`, which start with the command's name. `part_command`: in a part (a separate
/// program for one command, cli/part.hpp), the command of this program; null in the base program.
ExitResult run_command_line(const std::vector<std::string>& arguments, const PartCommand* part_command = nullptr);

// The commands, each in its own file.
ExitResult run_upscale(const Invocation& invocation);
ExitResult run_models(const Invocation& invocation);
ExitResult run_devices(const Invocation& invocation);
ExitResult run_doctor(const Invocation& invocation);
ExitResult run_lease(const Invocation& invocation);
ExitResult run_run(const Invocation& invocation);
ExitResult run_leak(const Invocation& invocation);
ExitResult run_config(const Invocation& invocation);
ExitResult run_help(const Invocation& invocation);
ExitResult run_version(const Invocation& invocation);
ExitResult run_worker(const Invocation& invocation);
ExitResult run_status(const Invocation& invocation);
ExitResult run_train(const Invocation& invocation);
ExitResult run_report(const Invocation& invocation);

/// Prints text on standard output. Returns success, or the exit result for the write error.
ExitResult print(std::string_view text);

}  // namespace weir::cli
