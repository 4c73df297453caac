#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace weir::compute::vulkan {

// A driver manifest is a JSON file with the path of an installed driver, for the Vulkan loader (libvulkan).

/// Returns the driver manifests that the loader would read:
/// - those that VK_DRIVER_FILES lists, if it is set and not empty;
/// - otherwise those that VK_ICD_FILENAMES lists, if it is set and not empty;
/// - otherwise all .json files in the folders where drivers are installed.
/// Source: "Architecture of the Vulkan Loader Interfaces", driver discovery on Linux.
std::vector<std::filesystem::path> list_driver_manifests();

/// Returns the paths of the manifests that are valid JSON, joined by colons as VK_DRIVER_FILES needs them. The loader
/// of Debian 12 (1.3.239) does not leave out a manifest that it cannot parse: it fails as a whole, with
/// VK_ERROR_OUT_OF_HOST_MEMORY.
std::string join_parsable(const std::vector<std::filesystem::path>& manifests);

}  // namespace weir::compute::vulkan
