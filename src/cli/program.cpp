#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/near_word.hpp"
#include "base/standard_streams.hpp"
#include "base/text.hpp"
#include "cli/command.hpp"
#include "cli/foreign_command.hpp"
#include "cli/help_text.hpp"
#include "cli/main_program.hpp"
#include "cli/part.hpp"
#include "cli/unknown_variables.hpp"
#include "observe/log.hpp"
#include "tasks/task_kinds.hpp"

namespace weir::cli {
namespace {

void tell_what_is_not_read(const Settings& settings) {
  observe::Log log{settings.args.quiet ? observe::Verbosity::quiet : observe::Verbosity::normal};
  for (const std::string& line : unknown_variables()) log.warning(line);
  for (const std::string& line : settings.not_read) log.warning(line);
}

Ending run_command(const Command& command, const std::vector<std::string>& words, const OwnCommand* own) {
  const auto line = parse_command_line(command.flags, words);
  const auto wrong = [&](std::string what) { return Ending{usage_exit(command, words), std::move(what), {}}; };
  if (const std::string missing = missing_dashes(command, words); !missing.empty())
    return wrong(fmt::format("{}; see 'weir help {}'", missing, command.name));
  if (!line) return wrong(fmt::format("{}; see 'weir help {}'", line.error().what, command.name));
  if (line->has("--help")) return print(command_help(command));
  if (command.operands.empty() && !line->operands.empty())
    return wrong(
        fmt::format("'{}' is not expected here; see 'weir help {}'", printable(line->operands.front()), command.name));
  const Environment environment =
      command.reads_settings ? process_environment() : [](const char*) { return std::nullopt; };
  const auto files = command.reads_settings ? settings_files(environment) : std::vector<std::filesystem::path>{};
  const auto settings = resolve_settings(command.flags, *line, environment, files);
  if (!settings) return wrong(settings.error().what);
  if (command.reads_settings) tell_what_is_not_read(*settings);
  return command.run({*line, *settings, environment, own != nullptr ? own->kinds : tasks::task_kinds});
}

}  // namespace

Ending run_program(const std::vector<std::string>& words, const OwnCommand* own) {
  if (words.empty()) return wrong_usage("no command given; see 'weir help'");
  std::string_view name = words.front();
  if (name == "--help" || name == "-h") name = "help";
  if (name == "--version" || name == "-V") name = "version";
  const Command* command = find_command(name);
  if (command == nullptr)
    return wrong_usage(fmt::format("'{}' is not a command of weir{}; see 'weir help'", printable(words.front()),
                                   near_word_hint(words.front(), command_names())));
  const std::vector<std::string> rest{words.begin() + 1, words.end()};
  if (command->run != nullptr) return run_command(*command, rest, own);
  if (own == nullptr || own->name != command->name) return run_part(command->name, rest);
  Command done_here = *command;
  done_here.run = own->run;
  return run_command(done_here, rest, own);
}

Ending print(std::string_view text) {
  auto written = write_standard_output(text);
  return written ? Ending{} : Ending{Exit::some_failed, written.error().what};
}

}  // namespace weir::cli
