#include "cli/command_line.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include "base/closest_word.hpp"
#include "base/text.hpp"
#include "cli/flag_values.hpp"

namespace weir::cli {
namespace {

/// Returns the names of a flag as CLI11 expects them: "-o,--output".
std::string option_names(const Flag& flag) {
  return flag.letter == 0 ? std::string{flag.name} : fmt::format("-{},{}", flag.letter, flag.name);
}

/// Puts "./" before an argument that the library CLI11 would not keep as it is: "[a,b]", which it splits into a list,
/// and "++", which it treats as the end of a command.
void escape_for_cli11(std::string& argument) {
  const bool is_list = argument.size() > 1 && argument.front() == '[' && argument.back() == ']';
  if (is_list || argument == "++") argument.insert(0, "./");
}

/// Replaces an argument that is the alias of a flag by the flag's name.
void replace_alias(std::string& argument, std::span<const Flag> flags) {
  const auto named = std::find_if(flags.begin(), flags.end(),
                                  [&](const Flag& flag) { return !flag.alias.empty() && flag.alias == argument; });
  if (named != flags.end()) argument = named->name;
}

CLI::Option* add_option_for(CLI::App& app, const Flag& flag) {
  if (flag.is_switch()) return app.add_flag(option_names(flag));
  CLI::Option* option = app.add_option(option_names(flag));
  return option->type_size(1)->expected(1)->multi_option_policy(flag.can_repeat ? CLI::MultiOptionPolicy::TakeAll
                                                                                : CLI::MultiOptionPolicy::TakeLast);
}

/// Makes the error for an unknown flag. `argument` may contain a value: "--scael=2".
Error unknown_flag_error(std::string_view argument, std::span<const Flag> flags) {
  std::vector<std::string_view> names;
  for (const Flag& flag : flags) {
    if (!flag.name.empty()) names.push_back(flag.name);
  }
  return invalid(fmt::format("unknown flag '{}'{}", printable(argument),
                             did_you_mean(argument.substr(0, argument.find('=')), names)));
}

/// Returns the first flag that needs a value and has none: it is the last argument, or another flag follows it. If
/// there is no such flag, returns the last argument.
std::string flag_without_value(std::span<const Flag> flags, const std::vector<std::string>& arguments) {
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const bool needs_value = std::any_of(flags.begin(), flags.end(), [&](const Flag& flag) {
      const bool short_form = flag.letter != 0 && arguments[i] == std::string{'-', flag.letter};
      return !flag.is_switch() && (short_form || (!flag.name.empty() && arguments[i] == flag.name));
    });
    if (!needs_value) continue;
    if (i + 1 == arguments.size() || (arguments[i + 1].size() > 1 && arguments[i + 1].front() == '-'))
      return arguments[i];
    ++i;
  }
  return arguments.empty() ? std::string{} : arguments.back();
}

Status check_exclusive(const CommandLine& line) {
  const int sizes = line.has_flag("--scale") + line.has_flag("--resize") + line.has_flag("--width");
  if (sizes > 1) return invalid("--scale, --resize and --width exclude each other");
  return ok();
}

}  // namespace

bool CommandLine::has_flag(std::string_view name) const {
  return std::any_of(flags.begin(), flags.end(), [&](const GivenFlag& given) { return given.flag->name == name; });
}

Result<CommandLine> parse_command_line(std::span<const Flag> flags, std::vector<std::string> arguments) {
  CLI::App app;
  app.set_help_flag();
  std::vector<std::pair<const Flag*, const CLI::Option*>> options;
  for (const Flag& flag : flags) {
    if (!flag.name.empty()) options.emplace_back(&flag, add_option_for(app, flag));
  }
  std::vector<std::string> unused;  // CLI11 needs a variable for the operands; they are read from results() below
  CommandLine line;
  if (const auto dashes = std::find(arguments.begin(), arguments.end(), "--"); dashes != arguments.end()) {
    line.has_separator = true;
    line.external_arguments.assign(dashes + 1, arguments.end());
    arguments.erase(dashes, arguments.end());
  }
  for (std::string& argument : arguments) replace_alias(argument, flags);
  const std::vector<std::string> given = arguments;
  const CLI::Option* operands = app.add_option("operands", unused);
  for (std::string& argument : arguments) escape_for_cli11(argument);
  std::reverse(arguments.begin(), arguments.end());  // CLI11 reads a vector of arguments from its end
  try {
    app.parse(std::move(arguments));
  } catch (const CLI::ExtrasError&) {
    return unknown_flag_error(app.remaining().front(), flags);
  } catch (const CLI::ArgumentMismatch&) {
    return invalid(fmt::format("'{}' needs a value", printable(flag_without_value(flags, given))));
  } catch (const CLI::ParseError& problem) {
    return invalid(printable(problem.what()));
  }
  line.operands = operands->results();
  line.operands.insert(line.operands.end(), line.external_arguments.begin(), line.external_arguments.end());
  for (const auto& [flag, option] : options) {
    if (option->count() == 0) continue;
    if (flag->can_repeat) {
      for (const std::string& value : option->results()) line.flags.push_back({flag, value});
      continue;
    }
    if (option->count() > 1 && !flag->is_switch())
      return invalid(fmt::format("{} is given more than once", flag->name));
    line.flags.push_back({flag, option->results().back()});
  }
  if (auto exclusive = check_exclusive(line); !exclusive) return exclusive.error();
  return line;
}

}  // namespace weir::cli
