#include "cli/external_command.hpp"

#include <algorithm>
#include <cstddef>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/text.hpp"
#include "tasks/command_items.hpp"

namespace weir::cli {
namespace {

constexpr std::size_t kMaxExampleBytes = 300;  // longer examples are cut

bool is_flag(const std::string& argument) { return argument.size() > 1 && argument.front() == '-'; }

/// Returns the flag of weir that the argument names, with or without its value ("--need=5G", "-j4"); null if the
/// argument names no flag of weir.
const Flag* find_flag(std::span<const Flag> flags, std::string_view argument) {
  const std::string_view name = argument.substr(0, argument.find('='));
  const auto found = std::find_if(flags.begin(), flags.end(), [&](const Flag& flag) {
    if (argument.starts_with("--")) return flag.name == name;
    return flag.letter != 0 && argument.size() > 1 && argument[1] == flag.letter;
  });
  return found == flags.end() ? nullptr : &*found;
}

/// Returns true if the value of the flag is the argument after `argument`, which names the flag.
bool value_follows(const Flag& flag, std::string_view argument) {
  if (flag.is_switch()) return false;
  return argument.starts_with("--") ? argument.find('=') == std::string_view::npos : argument.size() == 2;
}

/// Returns the index of the external program among the arguments. Returns the number of arguments if "--" precedes the
/// program or if no program is found.
std::size_t find_program(const Command& command, const std::vector<std::string>& arguments) {
  bool verb_expected = !command.external_program->verb.empty();
  for (std::size_t i = 0; i < arguments.size() && arguments[i] != "--"; ++i) {
    if (!is_flag(arguments[i])) {
      if (!verb_expected) return i;
      if (arguments[i] != command.external_program->verb) break;
      verb_expected = false;
      continue;
    }
    const Flag* flag = find_flag(command.flags, arguments[i]);
    if (flag == nullptr) break;  // an unknown flag: the parser reports it
    if (!value_follows(*flag, arguments[i])) continue;
    ++i;
    const bool no_value =
        i < arguments.size() && is_flag(arguments[i]) && find_flag(command.flags, arguments[i]) != nullptr;
    if (no_value || (i < arguments.size() && arguments[i] == "--")) break;  // the parser reports the missing value
  }
  return arguments.size();
}

/// Returns the arguments with the indices first to end - 1 as shell text, with a space before each argument. Cuts the
/// text after kMaxExampleBytes.
std::string to_shell_text(const std::vector<std::string>& arguments, std::size_t first, std::size_t end) {
  std::string text;
  for (std::size_t i = first; i < end; ++i) {
    if (text.size() > kMaxExampleBytes) return text + " ...";
    text += ' ' + quote_for_shell(arguments[i]);
  }
  return text;
}

}  // namespace

std::string quote_for_shell(const std::string& argument) {
  constexpr std::string_view kPlain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+./:=,@%^";
  if (!argument.empty() && argument.find_first_not_of(kPlain) == std::string::npos) return argument;
  std::string content = printable(argument);
  // printable() doubles each backslash. Any further backslash in its result starts an escape of another character.
  const bool needs_escapes = static_cast<std::size_t>(std::count(content.begin(), content.end(), '\\')) !=
                             2 * static_cast<std::size_t>(std::count(argument.begin(), argument.end(), '\\'));
  if (!needs_escapes) content = argument;
  std::string quoted = needs_escapes ? "$'" : "'";  // bash reads \n and \x1b within $''
  for (const char c : content) {
    if (c == '\'')
      quoted += needs_escapes ? "\\'" : "'\\''";
    else
      quoted += c;
  }
  return quoted + '\'';
}

ExitStatus wrong_usage_status(const Command& command, const std::vector<std::string>& arguments) {
  if (!command.external_program) return ExitStatus::wrong_usage;
  const auto separator = std::find(arguments.begin(), arguments.end(), "--");
  const std::string_view verb = command.external_program->verb;
  if (!verb.empty()) {  // only this verb runs an external program, as in 'weir lease hold -- COMMAND'
    const bool runs_program = std::find(arguments.begin(), separator, verb) != separator &&
                              (separator != arguments.end() || !missing_separator_message(command, arguments).empty());
    return runs_program ? ExitStatus::own_failure : ExitStatus::wrong_usage;
  }
  const bool has_items = command.name == "run" && tasks::has_item_separator(arguments);
  return has_items ? ExitStatus::wrong_usage : ExitStatus::own_failure;
}

std::string missing_separator_message(const Command& command, const std::vector<std::string>& arguments) {
  if (!command.external_program) return {};
  const std::size_t first = find_program(command, arguments);
  if (first == arguments.size()) return {};
  std::string text = fmt::format("'--' is missing before the command: weir {}{} --{}", command.name,
                                 to_shell_text(arguments, 0, first), to_shell_text(arguments, first, arguments.size()));
  const auto end = std::find(arguments.begin(), arguments.end(), "--");
  std::vector<std::string> weir_flags;
  for (auto argument = arguments.begin() + static_cast<std::ptrdiff_t>(first); argument < end; ++argument)
    if (is_flag(*argument) && find_flag(command.flags, *argument) != nullptr)
      weir_flags.push_back(quote_for_shell(*argument));
  if (!weir_flags.empty())
    text += fmt::format("; then {} {} for {}: flags for weir stand before --", fmt::join(weir_flags, " and "),
                        weir_flags.size() == 1 ? "is" : "are", quote_for_shell(arguments[first]));
  return text;
}

}  // namespace weir::cli
