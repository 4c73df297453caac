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

/// What a command is run with.
struct Invocation {
  const CommandLine& command_line;
  const Settings& settings;
  const Environment& environment;
  jobs::TaskFactories (*task_factories)();  ///< what workers of this program do
  const Arguments& args() const { return settings.args; }
};

/// A line of usage, or an example, and what it does.
struct UsageLine {
  std::string_view text;  ///< of a way: what follows "weir COMMAND"; of an example: the whole line for a shell
  std::string_view explanation;
};

/// What a command needs to know of the program that it runs, whose words stand after "--".
struct ExternalProgram {
  std::string_view verb = {};  ///< that stands before "--"; other verbs run nothing. Empty: there are no verbs
};

struct Command {
  std::string_view name;
  std::string_view operands;     ///< "INPUT... -o OUTPUT"; empty if there are none
  std::string_view summary;      ///< one line
  std::string_view description;  ///< for the help and the manual page
  /// Each way to use it; empty: `operands` says it all. A first word in small letters is a verb.
  std::vector<UsageLine> usages;
  std::vector<UsageLine> examples;  ///< work as they are printed where their files are
  std::span<const Flag> flags;
  bool reads_settings;                              ///< files and variables; help works whatever they say
  ExitResult (*run)(const Invocation& invocation);  ///< null: a part of that name does it (cli/part.hpp)
  std::optional<ExternalProgram> external_program = {};
};

/// The verbs of a command: "list", "wait" and "hold" of `weir lease`; none if it has none.
std::vector<std::string_view> list_verbs(const Command& command);

std::span<const Command> commands();                 ///< those for people
std::vector<std::string_view> command_names();       ///< of those
const Command* find_command(std::string_view name);  ///< null if there is none; knows weir's own `worker` too

struct PartCommand;

/// Runs the words of the command line but for the program's name. `own`: the command that this program, a part, does itself.
ExitResult run_command_line(const std::vector<std::string>& arguments, const PartCommand* part_command = nullptr);

// One file each.
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

/// Prints a command's result; what cannot be printed is an error.
ExitResult print(std::string_view text);

}  // namespace weir::cli
