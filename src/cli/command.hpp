#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cli/exit.hpp"
#include "cli/flags.hpp"
#include "cli/settings.hpp"
#include "jobs/task.hpp"

namespace weir::cli {

/// What a command is run with.
struct Invocation {
  const CommandLine& line;
  const Settings& settings;
  const Environment& environment;
  jobs::TaskKinds (*kinds)();  ///< what workers of this program do
  const Arguments& args() const { return settings.args; }
};

/// A line of usage, or an example, and what it does.
struct Line {
  std::string_view words;  ///< of a way: what follows "weir COMMAND"; of an example: the whole line for a shell
  std::string_view help;
};

/// What a command needs to know of the program that it runs, whose words stand after "--".
struct ForeignProgram {
  std::string_view verb = {};  ///< that stands before "--"; other verbs run nothing. Empty: there are no verbs
};

struct Command {
  std::string_view name;
  std::string_view operands;     ///< "INPUT... -o OUTPUT"; empty if there are none
  std::string_view summary;      ///< one line
  std::string_view description;  ///< for the help and the manual page
  /// Each way to use it; empty: `operands` says it all. A first word in small letters is a verb.
  std::vector<Line> ways;
  std::vector<Line> examples;  ///< work as they are printed where their files are
  std::span<const Flag> flags;
  bool reads_settings;                          ///< files and variables; help works whatever they say
  Ending (*run)(const Invocation& invocation);  ///< null: a part of that name does it (cli/part.hpp)
  std::optional<ForeignProgram> foreign = {};
};

/// The verbs of a command: "list", "wait" and "hold" of `weir lease`; none if it has none.
std::vector<std::string_view> verbs_of(const Command& command);

std::span<const Command> commands();                 ///< those for people
std::vector<std::string_view> command_names();       ///< of those
const Command* find_command(std::string_view name);  ///< null if there is none; knows weir's own `worker` too

struct OwnCommand;

/// Runs the words of the command line but for the program's name. `own`: the command that this program, a part, does itself.
Ending run_program(const std::vector<std::string>& words, const OwnCommand* own = nullptr);

// One file each.
Ending run_upscale(const Invocation& invocation);
Ending run_models(const Invocation& invocation);
Ending run_devices(const Invocation& invocation);
Ending run_doctor(const Invocation& invocation);
Ending run_lease(const Invocation& invocation);
Ending run_run(const Invocation& invocation);
Ending run_leak(const Invocation& invocation);
Ending run_config(const Invocation& invocation);
Ending run_help(const Invocation& invocation);
Ending run_version(const Invocation& invocation);
Ending run_worker(const Invocation& invocation);
Ending run_status(const Invocation& invocation);
Ending run_train(const Invocation& invocation);
Ending run_report(const Invocation& invocation);

/// Prints a command's result; what cannot be printed is an error.
Ending print(std::string_view text);

}  // namespace weir::cli
