#include "audit/other/shell_commands.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <functional>

#include "audit/mask.hpp"

namespace weir::audit {
namespace {

/// A program that runs another command, which is among its arguments: env, sudo, nice.
struct Wrapper {
  std::string_view name;
  std::string_view with_argument;  ///< letters of the short options whose argument is the next word: "n" for nice -n 5
  bool assigns = false;            ///< accepts NAME=value before the program
  int operands = 0;                ///< number of operands before the program: 1 for "timeout 5 train"
};
constexpr std::array kWrappers{Wrapper{"env", "uC", true},
                               Wrapper{"sudo", "ugpCrtThRDU", true},
                               Wrapper{"doas", "uC", true},
                               Wrapper{"time", "fo", true},
                               Wrapper{"coproc", "", true},
                               Wrapper{"nohup", ""},
                               Wrapper{"nice", "n"},
                               Wrapper{"exec", "a"},
                               Wrapper{"command", ""},
                               Wrapper{"setsid", ""},
                               Wrapper{"stdbuf", "ioe"},
                               Wrapper{"ionice", "cnpPu"},
                               Wrapper{"timeout", "sk", false, 1}};
constexpr std::array<std::string_view, 5> kShells{"bash", "sh", "zsh", "dash", "ksh"};

std::string_view file_name(std::string_view path) { return path.substr(path.rfind('/') + 1); }

const Wrapper* find_wrapper(std::string_view word) {
  const std::string name = remove_quotes(word);
  const auto* found =
      std::find_if(kWrappers.begin(), kWrappers.end(), [&](const Wrapper& one) { return one.name == file_name(name); });
  return found == kWrappers.end() ? nullptr : found;
}

bool is_assignment(std::string_view word) {
  const std::string text = remove_quotes(word);
  const std::size_t equals = text.find('=');
  if (equals == std::string::npos || equals == 0 || std::isdigit(static_cast<unsigned char>(text[0])) != 0)
    return false;
  return std::all_of(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(equals),
                     [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; });
}

/// Returns "CUDA_VISIBLE_DEVICES" for CUDA_VISIBLE_DEVICES=1, --env=CUDA_VISIBLE_DEVICES=1, -eCUDA_VISIBLE_DEVICES=1.
std::string_view variable_in(std::string_view word) {
  if (word.find_first_of(" \t\n") != std::string_view::npos) return {};  // a sentence
  for (std::size_t equals = word.find('='); equals != std::string_view::npos; equals = word.find('=', equals + 1)) {
    std::size_t begin = equals;
    const auto is_part = [](char c) { return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_'; };
    while (begin > 0 && is_part(word[begin - 1])) --begin;
    const std::string_view name = word.substr(begin, equals - begin);
    const std::string before = remove_quotes(word.substr(0, begin));
    if (find_device_variable(name) != nullptr && (before.empty() || before.starts_with('-'))) return name;
  }
  return {};
}

/// Returns the index of the program that the wrapper at the index `at` runs; words.size() if there is none. Adds the
/// settings among the arguments of the wrapper to `command`.
std::size_t index_after_wrapper(const ShellWords& words, std::size_t at, const Wrapper& wrapper,
                                ShellCommand& command) {
  int operands = wrapper.operands;
  for (++at; at < words.size(); ++at) {
    const std::string_view word = words[at].text;
    if (word.starts_with('-')) {
      const bool is_short = word.size() == 2 && word[1] != '-';
      at += is_short && wrapper.with_argument.find(word[1]) != std::string_view::npos ? 1U : 0U;
    } else if (wrapper.assigns && is_assignment(word)) {
      if (const auto name = variable_in(word); !name.empty())
        command.settings.push_back(
            {.word_index = at, .name = name, .range = words[at].range, .allows_setting_before = true});
    } else if (operands-- <= 0) {
      break;
    }
  }
  return at;
}

/// Returns whether a word after the index `at` is no assignment.
bool has_program_after(const ShellWords& words, std::size_t at) {
  return std::any_of(words.begin() + static_cast<std::ptrdiff_t>(at) + 1, words.end(),
                     [](const ShellWord& word) { return !is_assignment(word.text); });
}

bool is_quoted(const ShellWord& word) {
  return word.text.size() > 2 && (word.node.is("string") || word.node.is("raw_string"));
}

/// Returns the index of the first word that is a shell; words.size() if there is none.
std::size_t find_shell(const ShellWords& words) {
  const auto found = std::find_if(words.begin(), words.end(),
                                  [](const ShellWord& word) { return is_one_of(file_name(word.text), kShells); });
  return static_cast<std::size_t>(found - words.begin());
}

}  // namespace

std::string remove_quotes(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c != '"' && c != '\'') out += c;
  }
  return out;
}

bool is_data_command(std::string_view program) {
  constexpr std::array<std::string_view, 12> kNames{"echo", "printf", "git",  "sed", "grep",   "egrep",
                                                    "awk",  "rg",     "perl", "tee", "logger", "test"};
  return is_one_of(file_name(program), kNames);
}

ShellCommand parse_shell_command(const ShellWords& words) {
  ShellCommand command;
  std::size_t at = 0;
  for (const Wrapper* wrapper; at < words.size() && (wrapper = find_wrapper(words[at].text)) != nullptr;)
    at = index_after_wrapper(words, at, *wrapper, command);
  if (at >= words.size()) at = words.empty() ? 0 : words.size() - 1;
  command.program = words.empty() ? std::string{} : remove_quotes(words[at].text);
  const std::string_view name = file_name(command.program);
  constexpr std::array<std::string_view, 5> kContainers{"docker", "podman", "nerdctl", "nvidia-docker",
                                                        "docker-compose"};
  command.starts_container = is_one_of(name, kContainers);
  if (is_data_command(command.program)) return command;
  for (std::size_t i = at + 1; i < words.size(); ++i) {
    const auto variable = variable_in(words[i].text);
    if (variable.empty()) continue;
    const bool option = words[i].text.starts_with('-') || words[i - 1].text.starts_with('-');
    if (!option && name != "make" && !has_program_after(words, i)) continue;
    // "docker exec box env NAME=value command"
    std::size_t before = i - 1;
    while (before > at && is_assignment(words[before].text)) --before;
    const Wrapper* wrapper = find_wrapper(words[before].text);
    command.settings.push_back({.word_index = i,
                                .name = variable,
                                .range = words[i].range,
                                .allows_setting_before = wrapper != nullptr && wrapper->assigns});
  }
  return command;
}

std::optional<ShellScript> find_script(const ShellWords& words) {
  constexpr std::array<std::string_view, 7> kScriptCommands{"eval", "ssh", "su", "watch", "tmux", "screen", "parallel"};
  const auto script = [&](const ShellWord& word, std::string_view program) {
    return ShellScript{.range = {word.range.begin + 1, word.range.end - 1},  // without the quotes
                       .expanded_by_outer_shell = word.node.is("string"),
                       .runs_in_same_shell = program == "eval",
                       .is_remote = is_remote(words)};
  };
  const std::size_t shell = find_shell(words);
  for (std::size_t i = shell + 1; i + 1 < words.size(); ++i) {
    const std::string_view flag = words[i].text;
    if (!flag.starts_with('-')) break;
    if (flag.ends_with('c') && !flag.starts_with("--") && is_quoted(words[i + 1]))
      return script(words[i + 1], words[shell].text);
  }
  const std::string program = parse_shell_command(words).program;
  if (!is_one_of(file_name(program), kScriptCommands)) return std::nullopt;
  const auto found = std::find_if(words.rbegin(), words.rend(), [](const ShellWord& word) {
    return is_quoted(word) && word.text.find(' ') != std::string_view::npos;
  });
  if (found == words.rend()) return std::nullopt;
  return script(*found, program);
}

bool is_remote(const ShellWords& words) { return !words.empty() && file_name(words.front().text) == "ssh"; }

bool reads_script(const ShellWords& words) {
  const auto is_option = [](const ShellWord& word) { return word.text.starts_with('-'); };
  const std::string program = parse_shell_command(words).program;
  if (program == "sbatch" || program == "qsub" || program == "bsub") {
    return std::all_of(words.begin() + 1, words.end(), is_option);
  }
  if (program == "ssh" && std::count_if(words.begin() + 1, words.end(), std::not_fn(is_option)) == 1) return true;
  const std::size_t shell = find_shell(words);
  for (std::size_t i = shell + 1; i < words.size(); ++i) {
    if (words[i].text == "-s") return true;
    if (!is_option(words[i]) || words[i].text.ends_with('c')) return false;
  }
  return shell < words.size();
}

ContainerStart parse_container_start(const ShellWords& words) {
  constexpr std::string_view kCards = "NVIDIA_VISIBLE_DEVICES=";
  constexpr std::string_view kMask = "CUDA_VISIBLE_DEVICES=";
  ContainerStart container;
  const auto count = [](std::string_view list) {
    return static_cast<std::size_t>(std::count(list.begin(), list.end(), ',')) + 1;
  };
  for (std::size_t i = 1; i < words.size(); ++i) {
    std::string word = remove_quotes(words[i].text);
    Range where = words[i].range;
    if ((word == "--gpus" || word == "-e" || word == "--env") && i + 1 < words.size()) {
      ++i;
      word += '=' + remove_quotes(words[i].text);
      where.end = words[i].range.end;
    }
    const auto after = [&](std::string_view flag) {
      return word.starts_with(flag) ? word.substr(flag.size()) : std::string{};
    };
    std::string setting = after("-e=");
    if (setting.empty()) setting = after("--env=");
    if (setting.starts_with(kCards)) {
      const std::string cards = setting.substr(kCards.size());
      const bool selects_cards = !cards.empty() && cards != "all" && cards != "void" && cards != "none";
      if (selects_cards) {
        container.card_option = setting;
        container.card_count = count(cards);
      }
    }
    const std::string devices = after("--gpus=");
    if (devices.find("device=") != std::string::npos) {
      container.card_option = word;
      container.card_count = count(devices);
    }
    if (!setting.starts_with(kMask)) continue;
    container.mask = setting.substr(kMask.size());
    container.mask_range = where;
  }
  return container;
}

}  // namespace weir::audit
