#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include "audit/other/shell_commands.hpp"
#include "base/text.hpp"

// Decides which words of a shell command may name a device.

namespace weir::audit {
namespace {

template <std::size_t N>
bool has_one_of(std::string_view text, const std::array<std::string_view, N>& words) {
  return std::any_of(words.begin(), words.end(),
                     [&](std::string_view word) { return text.find(word) != std::string_view::npos; });
}

/// Returns whether an option requests a number or kind of cards: Slurm's options and docker's --gpus.
bool requests_cards(std::string_view option) {
  constexpr std::array<std::string_view, 3> kWords{"gres", "gpus", "tres"};
  return has_one_of(option, kWords);
}

/// Returns whether the value of the option is a device.
bool means_device(std::string_view option) {
  constexpr std::array<std::string_view, 5> kWords{"device", "gpu", "cuda", "accelerator", "map_location"};
  return has_one_of(option, kWords);
}

/// Returns whether the value of the option is the name or description of something.
bool means_name(std::string_view option) {
  constexpr std::array<std::string_view, 9> kWords{"name",  "tag",  "label",   "title",    "comment",
                                                   "image", "note", "message", "partition"};
  return has_one_of(option, kWords);
}

}  // namespace

bool may_name_device(std::string_view word, std::string_view previous_word, std::string_view program) {
  constexpr std::array<std::string_view, 12> kSchedulers{"srun",   "sbatch", "salloc", "qsub",   "bsub", "sinteractive",
                                                         "condor", "flux",   "swarm",  "mpirun", "qrsh", "qlogin"};
  constexpr std::array<std::string_view, 10> kContainers{
      "docker",         "podman",  "nerdctl",   "nvidia-docker", "singularity",
      "docker-compose", "kubectl", "apptainer", "enroot",        "helm"};
  constexpr std::array<std::string_view, 8> kInstallers{"module", "ml",  "spack", "conda",
                                                        "mamba",  "pip", "apt",   "apt-get"};
  const std::string_view tool = program.substr(program.rfind('/') + 1);
  const std::string whole = remove_quotes(word);
  const std::size_t equals = whole.rfind('=');
  std::string option;
  if (equals != std::string::npos)
    option = lower_case(whole.substr(0, equals));
  else if (previous_word.starts_with('-') && previous_word.find('=') == std::string_view::npos)
    option = lower_case(remove_quotes(previous_word));
  if (requests_cards(option) || is_one_of(tool, kInstallers)) return false;
  if (means_device(option)) return true;
  const bool is_bare_word = equals == std::string::npos && !lower_case(whole).starts_with("gpu:");
  if (!is_bare_word || is_one_of(tool, kContainers)) return false;
  return is_one_of(tool, kSchedulers) ? option.empty() : !means_name(option);
}

}  // namespace weir::audit
