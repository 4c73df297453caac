#include "cli/command_line.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include "base/near_word.hpp"
#include "base/text.hpp"
#include "cli/flag_values.hpp"

namespace weir::cli {
namespace {

std::string names_of(const Flag& flag) {
  return flag.letter == 0 ? std::string{flag.name} : fmt::format("-{},{}", flag.letter, flag.name);
}

/// CLI11 takes "[a,b]" apart into a list and "++" as the end of a command; "./" before them keeps them names.
void protect(std::string& word) {
  const bool list = word.size() > 1 && word.front() == '[' && word.back() == ']';
  if (list || word == "++") word.insert(0, "./");
}

CLI::Option* add_to(CLI::App& app, const Flag& flag) {
  if (flag.is_switch()) return app.add_flag(names_of(flag));
  CLI::Option* option = app.add_option(names_of(flag));
  return option->type_size(1)->expected(1)->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
}

/// `word` may carry a value: "--scael=2".
Error unknown_flag(std::string_view word, std::span<const Flag> flags) {
  std::vector<std::string_view> names;
  for (const Flag& flag : flags) {
    if (!flag.name.empty()) names.push_back(flag.name);
  }
  return invalid(
      fmt::format("unknown flag '{}'{}", printable(word), near_word_hint(word.substr(0, word.find('=')), names)));
}

/// The flag behind which no value stands: the words end there, or the next one is a flag itself.
std::string without_value(std::span<const Flag> flags, const std::vector<std::string>& words) {
  for (std::size_t i = 0; i < words.size(); ++i) {
    const bool is_it = std::any_of(flags.begin(), flags.end(), [&](const Flag& flag) {
      const bool short_form = flag.letter != 0 && words[i] == std::string{'-', flag.letter};
      return !flag.is_switch() && (short_form || (!flag.name.empty() && words[i] == flag.name));
    });
    if (!is_it) continue;
    if (i + 1 == words.size() || (words[i + 1].size() > 1 && words[i + 1].front() == '-')) return words[i];
    ++i;
  }
  return words.empty() ? std::string{} : words.back();
}

Status check_exclusive(const CommandLine& line) {
  const int sizes = line.has("--scale") + line.has("--resize") + line.has("--width");
  if (sizes > 1) return invalid("--scale, --resize and --width exclude each other");
  return ok();
}

}  // namespace

bool CommandLine::has(std::string_view name) const {
  return std::any_of(flags.begin(), flags.end(), [&](const GivenFlag& given) { return given.flag->name == name; });
}

Result<CommandLine> parse_command_line(std::span<const Flag> flags, std::vector<std::string> words) {
  CLI::App app;
  app.set_help_flag();
  std::vector<std::pair<const Flag*, const CLI::Option*>> options;
  for (const Flag& flag : flags) {
    if (!flag.name.empty()) options.emplace_back(&flag, add_to(app, flag));
  }
  std::vector<std::string> unused;
  CommandLine line;
  if (const auto dashes = std::find(words.begin(), words.end(), "--"); dashes != words.end()) {
    line.separated = true;
    line.command.assign(dashes + 1, words.end());
    words.erase(dashes, words.end());
  }
  const std::vector<std::string> given = words;
  const CLI::Option* operands = app.add_option("operands", unused);
  for (std::string& word : words) protect(word);
  std::reverse(words.begin(), words.end());
  try {
    app.parse(std::move(words));
  } catch (const CLI::ExtrasError&) {
    return unknown_flag(app.remaining().front(), flags);
  } catch (const CLI::ArgumentMismatch&) {
    return invalid(fmt::format("'{}' needs a value", printable(without_value(flags, given))));
  } catch (const CLI::ParseError& problem) {
    return invalid(printable(problem.what()));
  }
  line.operands = operands->results();
  line.operands.insert(line.operands.end(), line.command.begin(), line.command.end());
  for (const auto& [flag, option] : options) {
    if (option->count() > 1 && !flag->is_switch())
      return invalid(fmt::format("{} is given more than once", flag->name));
    if (option->count() > 0) line.flags.push_back({flag, option->results().back()});
  }
  if (auto apart = check_exclusive(line); !apart) return apart.error();
  return line;
}

}  // namespace weir::cli
