#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "tasks/picture_task.hpp"

namespace weir::tasks {

/// What the user says about the network; empty fields leave the choice to the scale of the picture.
struct NetworkWish {
  std::filesystem::path model;  ///< a .param file or a folder
  std::string name;
  std::optional<int> noise;
  std::vector<std::filesystem::path> folders;  ///< searched after `model`, in this order
};

/// Finds networks by the wish and reads each once.
NetworkSource make_network_source(NetworkWish wish);

}  // namespace weir::tasks
