#include "compute/vulkan/driver_manifests.hpp"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <string_view>
#include <system_error>

#include <nlohmann/json.hpp>

namespace weir::compute::vulkan {

namespace {

namespace fs = std::filesystem;

/// Returns the value of an environment variable; empty if it is not set.
std::string read_variable(const char* name) {
  const char* const value = std::getenv(name);
  return value != nullptr ? value : "";
}

/// Splits a list of paths at its colons; leaves out empty paths.
std::vector<std::string> split_list(const std::string& list) {
  std::vector<std::string> parts;
  for (std::size_t begin = 0; begin <= list.size();) {
    const std::size_t colon = std::min(list.find(':', begin), list.size());
    if (colon > begin) parts.push_back(list.substr(begin, colon - begin));
    begin = colon + 1;
  }
  return parts;
}

/// Returns the folders in which the loader looks for driver manifests, in its order.
std::vector<std::string> driver_folders() {
  const auto add = [](std::vector<std::string>& to, const std::string& list) {
    for (const std::string& part : split_list(list)) to.push_back(part + "/vulkan/icd.d");
  };
  const std::string home = read_variable("HOME");
  std::vector<std::string> folders;
  const std::string config = read_variable("XDG_CONFIG_HOME");
  add(folders, config.empty() ? home + "/.config" : config);
  const std::string config_folders = read_variable("XDG_CONFIG_DIRS");
  add(folders, config_folders.empty() ? "/etc/xdg" : config_folders);
  add(folders, "/usr/local/etc:/etc");
  const std::string data = read_variable("XDG_DATA_HOME");
  add(folders, data.empty() ? home + "/.local/share" : data);
  const std::string data_folders = read_variable("XDG_DATA_DIRS");
  add(folders, data_folders.empty() ? "/usr/local/share:/usr/share" : data_folders);
  return folders;
}

bool is_parsable(const fs::path& manifest) {
  std::ifstream file{manifest, std::ios::binary};
  return file && nlohmann::json::accept(file);
}

}  // namespace

std::vector<fs::path> list_driver_manifests() {
  std::vector<fs::path> manifests;
  for (const char* name : {"VK_DRIVER_FILES", "VK_ICD_FILENAMES"}) {
    const std::string list = read_variable(name);
    if (list.empty()) continue;
    for (const std::string& part : split_list(list)) manifests.emplace_back(part);
    return manifests;
  }
  for (const std::string& folder : driver_folders()) {
    std::error_code ignored;
    for (const auto& entry : fs::directory_iterator{folder, ignored}) {
      if (entry.path().extension() == ".json") manifests.push_back(entry.path());
    }
  }
  return manifests;
}

std::string join_parsable(const std::vector<fs::path>& manifests) {
  std::string list;
  for (const fs::path& manifest : manifests) {
    if (is_parsable(manifest)) list += (list.empty() ? "" : ":") + manifest.native();
  }
  return list;
}

}  // namespace weir::compute::vulkan
