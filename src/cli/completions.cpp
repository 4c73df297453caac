#include "cli/completions.hpp"

#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/command.hpp"

namespace weir::cli {
namespace {

std::string all_commands() { return fmt::format("{}", fmt::join(command_names(), " ")); }

/// Returns the choices for the first argument of a command, separated by spaces: the names of all commands for `help`,
/// else the command's verbs. Empty if the command has no verbs.
std::string first_words(const Command& command) {
  return command.name == "help" ? all_commands() : fmt::format("{}", fmt::join(list_verbs(command), " "));
}

/// What a shell offers as the value of a flag.
enum class Completion { nothing, choices, folders, files };
Completion completion_of(const Flag& flag) {
  if (!list_choices(flag.value_name).empty()) return Completion::choices;
  if (flag.value_name.find("FILE") != std::string_view::npos || flag.value_name == "OUTPUT") return Completion::files;
  return flag.value_name.starts_with("DIR") ? Completion::folders : Completion::nothing;
}

/// Returns the first phrase of the help, for a column beside the flag.
std::string_view brief(const Flag& flag) { return flag.help.substr(0, flag.help.find_first_of(".,;:(")); }

/// Removes single quotes, so that the text can stand within single quotes in all three shells.
std::string without_quotes(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c != '\'') out += c;
  }
  return out;
}

// --- bash

/// Returns the statement that completes the value of a flag.
std::string bash_value(const Flag& flag) {
  switch (completion_of(flag)) {
    case Completion::choices:
      return fmt::format("COMPREPLY=($(compgen -W '{}' -- \"$word\"))", fmt::join(list_choices(flag.value_name), " "));
    case Completion::folders:
      return "compopt -o filenames; mapfile -t COMPREPLY < <(compgen -d -- \"$word\")";
    case Completion::files:
      return "compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- \"$word\")";
    case Completion::nothing:
      break;
  }
  return "COMPREPLY=()";
}

/// Returns the branch of the script for one command: values of flags, then flags, then operands.
std::string bash_command(const Command& command) {
  std::string names;
  std::string values;
  for (const Flag& flag : command.flags) {
    if (flag.name.empty()) continue;
    names += fmt::format(" {}", flag.name);
    const std::string pattern =
        flag.letter == 0 ? std::string{flag.name} : fmt::format("{}|-{}", flag.name, flag.letter);
    if (!flag.is_switch()) values += fmt::format("        {}) {}; return ;;\n", pattern, bash_value(flag));
  }
  const std::string verbs = first_words(command);
  std::string operands = "COMPREPLY=()";
  if (command.name == "help")
    operands = fmt::format("COMPREPLY=($(compgen -W '{}' -- \"$word\"))", verbs);
  else if (!command.operands.empty())
    operands = fmt::format("compopt -o filenames; mapfile -t COMPREPLY < <(compgen{} -f -- \"$word\")",
                           verbs.empty() ? "" : fmt::format(" -W '{}'", verbs));
  return fmt::format(
      "    {0})\n      case \"$before\" in\n{1}      esac\n"
      "      if [[ $word == -* ]]; then COMPREPLY=($(compgen -W '{2}' -- \"$word\"))\n      else {3}; fi ;;\n",
      command.name, values, names.substr(1), operands);
}

std::string bash() {
  std::string text = fmt::format(
      "# bash completion for weir; made by 'weir help --completion bash'\n"
      "_weir() {{\n  local word=${{COMP_WORDS[COMP_CWORD]}} before=${{COMP_WORDS[COMP_CWORD-1]}}\n"
      "  if ((COMP_CWORD == 1)); then COMPREPLY=($(compgen -W '{} --help --version' -- \"$word\")); return; fi\n"
      "  case ${{COMP_WORDS[1]}} in\n",
      all_commands());
  for (const Command& command : commands()) text += bash_command(command);
  return text + "  esac\n}\ncomplete -F _weir weir\n";
}

// --- zsh

/// Returns the part of a flag's _arguments specification that describes its value.
std::string zsh_value(const Flag& flag) {
  switch (completion_of(flag)) {
    case Completion::choices:
      return fmt::format(":{}:({})", flag.name.substr(2), fmt::join(list_choices(flag.value_name), " "));
    case Completion::folders:
      return ":folder:_files -/";
    case Completion::files:
      return ":file:_files";
    case Completion::nothing:
      break;
  }
  return flag.is_switch() ? "" : fmt::format(":{}: ", flag.name.substr(2));
}

/// Returns the branch of the script for one command.
std::string zsh_command(const Command& command) {
  std::string text = fmt::format("    {}) _arguments", command.name);
  for (const Flag& flag : command.flags) {
    if (flag.name.empty()) continue;
    const std::string rest = fmt::format("[{}]{}", without_quotes(brief(flag)), zsh_value(flag));
    if (flag.letter == 0)
      text += fmt::format(" \\\n      '{}{}'", flag.name, rest);
    else
      text += fmt::format(" \\\n      '(-{0} {1})'{{-{0},{1}}}'{2}'", flag.letter, flag.name, rest);
  }
  if (const std::string verbs = first_words(command); !verbs.empty())
    text += fmt::format(" \\\n      '1:{}:({})'", command.name == "help" ? "command" : "verb", verbs);
  if (!command.operands.empty() && command.name != "help") text += " \\\n      '*:file:_files'";
  return text + " ;;\n";
}

std::string zsh() {
  std::string text =
      "#compdef weir\n# made by 'weir help --completion zsh'\n_weir() {\n  if ((CURRENT == 2)); then\n    local -a "
      "commands=(\n";
  for (const Command& command : commands())
    text += fmt::format("      '{}:{}'\n", command.name, without_quotes(command.summary));
  text +=
      "    )\n    _describe command commands\n    return\n  fi\n  local command=$words[2]\n  shift words\n  "
      "((CURRENT--))\n  case $command in\n";
  for (const Command& command : commands()) text += zsh_command(command);
  return text + "  esac\n}\n_weir \"$@\"\n";
}

// --- fish

std::string fish_flag(const Command& command, const Flag& flag) {
  std::string text =
      fmt::format("complete -c weir -n '__fish_seen_subcommand_from {}' -l {}", command.name, flag.name.substr(2));
  if (flag.letter != 0) text += fmt::format(" -s {}", flag.letter);
  switch (completion_of(flag)) {
    case Completion::choices:
      text += fmt::format(" -x -a '{}'", fmt::join(list_choices(flag.value_name), " "));
      break;
    case Completion::folders:
      text += " -x -a '(__fish_complete_directories)'";
      break;
    case Completion::files:
      text += " -r -F";
      break;
    case Completion::nothing:
      text += flag.is_switch() ? "" : " -x";
      break;
  }
  return text + fmt::format(" -d '{}'\n", without_quotes(brief(flag)));
}

std::string fish() {
  std::string text = "# fish completion for weir; made by 'weir help --completion fish'\n";
  for (const Command& command : commands()) {
    text += fmt::format("complete -c weir -n __fish_use_subcommand -f -a {} -d '{}'\n", command.name,
                        without_quotes(command.summary));
    if (command.operands.empty())
      text += fmt::format("complete -c weir -n '__fish_seen_subcommand_from {}' -f\n", command.name);
    if (const std::string verbs = first_words(command); !verbs.empty())
      text += fmt::format("complete -c weir -n '__fish_seen_subcommand_from {}' -a '{}'\n", command.name, verbs);
    for (const Flag& flag : command.flags) {
      if (!flag.name.empty()) text += fish_flag(command, flag);
    }
  }
  return text;
}

}  // namespace

std::string completions_for(std::string_view shell) {
  return shell == "bash" ? bash() : shell == "zsh" ? zsh() : fish();
}

}  // namespace weir::cli
