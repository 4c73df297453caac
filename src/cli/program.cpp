// Runs a command line: finds the command, parses its flags, reads the settings, and calls the command.

#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/closest_word.hpp"
#include "base/standard_streams.hpp"
#include "base/text.hpp"
#include "cli/command.hpp"
#include "cli/external_command.hpp"
#include "cli/help_text.hpp"
#include "cli/main_program.hpp"
#include "cli/part.hpp"
#include "cli/unknown_variables.hpp"
#include "observe/log.hpp"
#include "tasks/task_kinds.hpp"

namespace weir::cli {
namespace {

void warn_ignored_settings(const Settings& settings) {
  observe::Log log{settings.args.quiet ? observe::Verbosity::quiet : observe::Verbosity::normal};
  for (const std::string& line : find_unknown_variables()) log.warning(line);
  for (const std::string& line : settings.ignored_value_warnings) log.warning(line);
}

/// Runs a command of this program with the arguments after its name.
ExitResult run_command(const Command& command, const std::vector<std::string>& arguments,
                       const PartCommand* part_command) {
  const auto line = parse_command_line(command.flags, arguments);
  const auto wrong = [&](std::string what) {
    return ExitResult{wrong_usage_status(command, arguments), std::move(what), {}};
  };
  // Checked before the result of the parser, which may report a flag of the external program as unknown.
  if (const std::string missing = missing_separator_message(command, arguments); !missing.empty())
    return wrong(fmt::format("{}; see 'weir help {}'", missing, command.name));
  if (!line) return wrong(fmt::format("{}; see 'weir help {}'", line.error().what, command.name));
  if (line->has_flag("--help")) return print(command_help(command));
  if (command.operands.empty() && !line->operands.empty())
    return wrong(
        fmt::format("'{}' is not expected here; see 'weir help {}'", printable(line->operands.front()), command.name));
  // A command without settings reads no environment variables and no files.
  const Environment environment =
      command.reads_settings ? process_environment() : [](const char*) { return std::nullopt; };
  const auto files = command.reads_settings ? settings_files(environment) : std::vector<std::filesystem::path>{};
  const auto settings = resolve_settings(command.flags, *line, environment, files);
  if (!settings) return wrong(settings.error().what);
  if (command.reads_settings) warn_ignored_settings(*settings);
  return command.run(
      {*line, *settings, environment, part_command != nullptr ? part_command->task_factories : tasks::task_kinds});
}

}  // namespace

ExitResult run_command_line(const std::vector<std::string>& arguments, const PartCommand* part_command) {
  if (arguments.empty()) return wrong_usage("no command given; see 'weir help'");
  std::string_view name = arguments.front();
  if (name == "--help" || name == "-h") name = "help";
  if (name == "--version" || name == "-V") name = "version";
  const Command* command = find_command(name);
  if (command == nullptr)
    return wrong_usage(fmt::format("'{}' is not a command of weir{}; see 'weir help'", printable(arguments.front()),
                                   did_you_mean(arguments.front(), command_names())));
  const std::vector<std::string> rest{arguments.begin() + 1, arguments.end()};
  if (command->run != nullptr) return run_command(*command, rest, part_command);
  if (part_command == nullptr || part_command->name != command->name) return run_part(command->name, rest);
  Command own_command = *command;
  own_command.run = part_command->run;
  return run_command(own_command, rest, part_command);
}

ExitResult print(std::string_view text) {
  auto written = write_standard_output(text);
  return written ? ExitResult{} : ExitResult{ExitStatus::some_failed, written.error().what};
}

}  // namespace weir::cli
