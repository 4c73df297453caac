#include "cli/foreign_command.hpp"

#include <algorithm>
#include <cstddef>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/text.hpp"
#include "tasks/command_items.hpp"

namespace weir::cli {
namespace {

constexpr std::size_t kLongest = 300;  // bytes of an example; what follows is left out

bool is_flag(const std::string& word) { return word.size() > 1 && word.front() == '-'; }

/// The flag of weir that a word is, with its value or without: "--need=5G", "-j4"; null if it is none.
const Flag* find_flag(std::span<const Flag> flags, std::string_view word) {
  const std::string_view name = word.substr(0, word.find('='));
  const auto found = std::find_if(flags.begin(), flags.end(), [&](const Flag& flag) {
    if (word.starts_with("--")) return flag.name == name;
    return flag.letter != 0 && word.size() > 1 && word[1] == flag.letter;
  });
  return found == flags.end() ? nullptr : &*found;
}

bool value_follows(const Flag& flag, std::string_view word) {
  if (flag.is_switch()) return false;
  return word.starts_with("--") ? word.find('=') == std::string_view::npos : word.size() == 2;
}

/// Where the other program's words begin although no "--" stands before them; the number of words if they do not.
std::size_t find_program(const Command& command, const std::vector<std::string>& words) {
  bool verb_wanted = !command.foreign->verb.empty();
  for (std::size_t i = 0; i < words.size() && words[i] != "--"; ++i) {
    if (!is_flag(words[i])) {
      if (!verb_wanted) return i;
      if (words[i] != command.foreign->verb) break;
      verb_wanted = false;
      continue;
    }
    const Flag* flag = find_flag(command.flags, words[i]);
    if (flag == nullptr) break;  // mistyped, which the parser tells
    if (!value_follows(*flag, words[i])) continue;
    ++i;
    const bool no_value = i < words.size() && is_flag(words[i]) && find_flag(command.flags, words[i]) != nullptr;
    if (no_value || (i < words.size() && words[i] == "--")) break;  // that it is missing the parser tells
  }
  return words.size();
}

std::string as_shell_words(const std::vector<std::string>& words, std::size_t first, std::size_t end) {
  std::string text;
  for (std::size_t i = first; i < end; ++i) {
    if (text.size() > kLongest) return text + " ...";
    text += ' ' + shell_word(words[i]);
  }
  return text;
}

}  // namespace

std::string shell_word(const std::string& word) {
  constexpr std::string_view kPlain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+./:=,@%^";
  if (!word.empty() && word.find_first_not_of(kPlain) == std::string::npos) return word;
  std::string unescaped = printable(word);
  const bool strange = static_cast<std::size_t>(std::count(unescaped.begin(), unescaped.end(), '\\')) !=
                       2 * static_cast<std::size_t>(std::count(word.begin(), word.end(), '\\'));
  if (!strange) unescaped = word;
  std::string quoted = strange ? "$'" : "'";  // bash reads \n and \x1b within $''
  for (const char c : unescaped) {
    if (c == '\'')
      quoted += strange ? "\\'" : "'\\''";
    else
      quoted += c;
  }
  return quoted + '\'';
}

Exit usage_exit(const Command& command, const std::vector<std::string>& words) {
  if (!command.foreign) return Exit::wrong_usage;
  const auto dashes = std::find(words.begin(), words.end(), "--");
  const std::string_view verb = command.foreign->verb;
  if (!verb.empty()) {
    const bool runs_it = std::find(words.begin(), dashes, verb) != dashes &&
                         (dashes != words.end() || !missing_dashes(command, words).empty());
    return runs_it ? Exit::own_failure : Exit::wrong_usage;
  }
  const bool items = command.name == "run" && tasks::has_items(words);
  return items ? Exit::wrong_usage : Exit::own_failure;
}

std::string missing_dashes(const Command& command, const std::vector<std::string>& words) {
  if (!command.foreign) return {};
  const std::size_t first = find_program(command, words);
  if (first == words.size()) return {};
  std::string text = fmt::format("'--' is missing before the command: weir {}{} --{}", command.name,
                                 as_shell_words(words, 0, first), as_shell_words(words, first, words.size()));
  const auto end = std::find(words.begin(), words.end(), "--");
  std::vector<std::string> ours;
  for (auto word = words.begin() + static_cast<std::ptrdiff_t>(first); word < end; ++word)
    if (is_flag(*word) && find_flag(command.flags, *word) != nullptr) ours.push_back(shell_word(*word));
  if (!ours.empty())
    text += fmt::format("; then {} {} for {}: flags for weir stand before --", fmt::join(ours, " and "),
                        ours.size() == 1 ? "is" : "are", shell_word(words[first]));
  return text;
}

}  // namespace weir::cli
