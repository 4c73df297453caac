#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "audit/syntax/tree.hpp"

namespace weir::audit {

/// Returns whether the text is one of the words.
template <std::size_t N>
bool is_one_of(std::string_view text, const std::array<std::string_view, N>& words) {
  return std::find(words.begin(), words.end(), text) != words.end();
}

/// A word of a shell command. The words of a command are the program (or a wrapper such as sudo) and its arguments.
struct ShellWord {
  Node node{};
  std::string_view text{};
  Range range{};
};
using ShellWords = std::vector<ShellWord>;

/// A NAME=value among the words of a command that sets a variable for the program that the command runs.
struct ShellSetting {
  std::size_t word_index;              ///< index of the word that contains NAME=value
  std::string_view name;               ///< a variable that find_device_variable() knows, such as CUDA_VISIBLE_DEVICES
  Range range;                         ///< range of the word
  bool allows_setting_before = false;  ///< another NAME=value may be inserted before this one: "env NAME=value command"
};

/// The command that wrappers finally run: "train" in "sudo -E env A=1 nice -n 5 train".
struct ShellCommand {
  std::string program{};          ///< as written, without quotes
  bool starts_container = false;  ///< the program is docker or similar
  std::vector<ShellSetting> settings{};
};

/// A quoted word that is itself a script: bash -c "...", eval "...", ssh host "...".
struct ShellScript {
  Range range{};
  bool expanded_by_outer_shell = false;  ///< in double quotes: the outer shell first expands variables in the text
  bool runs_in_same_shell = false;       ///< the outer shell runs the script (eval), so its variables stay set
  bool is_remote = false;                ///< the script runs on another machine (ssh)
};

/// Returns the command that the words finally run, with the settings for it.
ShellCommand parse_shell_command(const ShellWords& words);
/// Returns the script that is one of the words; nothing if there is none.
std::optional<ShellScript> find_script(const ShellWords& words);
/// Returns whether the command is a shell that reads its script from its input, or passes its input to a shell (ssh,
/// sbatch), so that its here-document is a script.
bool reads_script(const ShellWords& words);
/// Returns whether the command is ssh, which runs its arguments on another machine.
bool is_remote(const ShellWords& words);
/// Returns whether the program treats its arguments as data (echo, grep): NAME=value among them sets no variable.
bool is_data_command(std::string_view program);
/// Returns the text without its single and double quotes.
std::string remove_quotes(std::string_view text);
/// Returns whether a word that looks like a device ("cuda:1") may be one. This depends on the program and on the word
/// before it, which may be an option: "--device gpu:1" is a device. Requests to a scheduler or container
/// ("--gres=gpu:1") and names of other things are not.
bool may_name_device(std::string_view word, std::string_view previous_word, std::string_view program);

/// The devices in a container start such as docker run --gpus device=1 -e CUDA_VISIBLE_DEVICES=1. A card is a graphics
/// card of the machine. The mask is the value of CUDA_VISIBLE_DEVICES inside the container.
struct ContainerStart {
  /// the option, or NVIDIA_VISIBLE_DEVICES=..., that selects some of the cards; empty if there is none
  std::string card_option{};
  std::size_t card_count = 0;  ///< number of cards that `card_option` selects
  std::string mask{};          ///< empty if no word sets it
  Range mask_range{};          ///< range of the words that set the mask; empty if no word does
};
/// Returns the cards and the mask in the words of a container start.
ContainerStart parse_container_start(const ShellWords& words);

}  // namespace weir::audit
