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

template <std::size_t N>
bool is_one_of(std::string_view text, const std::array<std::string_view, N>& all) {
  return std::find(all.begin(), all.end(), text) != all.end();
}

struct ShellWord {
  Node node{};
  std::string_view text{};
  Range range{};
};
using ShellWords = std::vector<ShellWord>;

/// A variable that is set among the words of a command, for what the command runs.
struct ShellSetting {
  std::size_t word_index;              ///< the one that holds NAME=value
  std::string_view name;               ///< a variable that selects devices
  Range range;                         ///< the word
  bool allows_setting_before = false;  ///< another may be put before it: "env NAME=value command"
};

/// A command behind those that only run another: "sudo -E env A=1 nice -n 5 train".
struct ShellCommand {
  std::string program{};  ///< as it is written, without quotes
  bool starts_container = false;
  std::vector<ShellSetting> settings{};
};

/// A text among the words that is a script of its own: bash -c "...", eval "...", ssh host "...".
struct ShellScript {
  Range range{};
  bool expanded_by_outer_shell = false;  ///< this shell puts its variables in first
  bool runs_in_same_shell = false;       ///< what it sets stays set
  bool is_remote = false;
};

ShellCommand parse_shell_command(const ShellWords& words);
std::optional<ShellScript> find_script(const ShellWords& words);
/// A shell, or what hands its input to one: the here-document behind it is a script.
bool reads_script(const ShellWords& words);
bool is_remote(const ShellWords& words);
/// Its words are data.
bool is_data_command(std::string_view program);
/// The word without quotes.
std::string remove_quotes(std::string_view text);
/// A word of a command that looks like a device may be one, by the option that it belongs to and the program that is given it:
/// "--device gpu:1", "cuda:1". What a scheduler or a container is asked for, and names of things, are none: "--gres=gpu:1".
bool may_name_device(std::string_view word, std::string_view previous_word, std::string_view program);

/// docker run --gpus device=1 -e CUDA_VISIBLE_DEVICES=1
struct ContainerStart {
  std::string card_option{};  ///< what chooses some of them; empty if nothing does
  std::size_t card_count = 0;
  std::string mask{};
  Range mask_range{};  ///< of the mask; empty if there is none
};
ContainerStart parse_container_start(const ShellWords& words);

}  // namespace weir::audit
