#include "compute/vulkan/manifests.hpp"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <string_view>
#include <system_error>

#include <nlohmann/json.hpp>

namespace weir::compute::vulkan {

namespace {

namespace fs = std::filesystem;

std::string variable(const char* name) {
  const char* const value = std::getenv(name);
  return value != nullptr ? value : "";
}

std::vector<std::string> parts_of(const std::string& list) {
  std::vector<std::string> parts;
  for (std::size_t at = 0; at <= list.size();) {
    const std::size_t colon = std::min(list.find(':', at), list.size());
    if (colon > at) parts.push_back(list.substr(at, colon - at));
    at = colon + 1;
  }
  return parts;
}

std::vector<std::string> driver_folders() {
  const auto add = [](std::vector<std::string>& to, const std::string& list) {
    for (const std::string& part : parts_of(list)) to.push_back(part + "/vulkan/icd.d");
  };
  const std::string home = variable("HOME");
  std::vector<std::string> folders;
  const std::string config = variable("XDG_CONFIG_HOME");
  add(folders, config.empty() ? home + "/.config" : config);
  const std::string configs = variable("XDG_CONFIG_DIRS");
  add(folders, configs.empty() ? "/etc/xdg" : configs);
  add(folders, "/usr/local/etc:/etc");
  const std::string data = variable("XDG_DATA_HOME");
  add(folders, data.empty() ? home + "/.local/share" : data);
  const std::string shares = variable("XDG_DATA_DIRS");
  add(folders, shares.empty() ? "/usr/local/share:/usr/share" : shares);
  return folders;
}

bool is_parsable(const fs::path& manifest) {
  std::ifstream file{manifest, std::ios::binary};
  return file && nlohmann::json::accept(file);
}

}  // namespace

std::vector<fs::path> driver_manifests() {
  std::vector<fs::path> manifests;
  for (const char* name : {"VK_DRIVER_FILES", "VK_ICD_FILENAMES"}) {
    const std::string list = variable(name);
    if (list.empty()) continue;
    for (const std::string& part : parts_of(list)) manifests.emplace_back(part);
    return manifests;
  }
  for (const std::string& folder : driver_folders()) {
    std::error_code none;
    for (const auto& entry : fs::directory_iterator{folder, none}) {
      if (entry.path().extension() == ".json") manifests.push_back(entry.path());
    }
  }
  return manifests;
}

std::string parsable(const std::vector<fs::path>& manifests) {
  std::string list;
  for (const fs::path& manifest : manifests) {
    if (is_parsable(manifest)) list += (list.empty() ? "" : ":") + manifest.native();
  }
  return list;
}

}  // namespace weir::compute::vulkan
