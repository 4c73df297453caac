#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace weir::compute::vulkan {

/// The manifests of drivers that the loader would read: VK_DRIVER_FILES, else VK_ICD_FILENAMES, else the folders where
/// drivers are installed. Source: "Architecture of the Vulkan Loader Interfaces", driver discovery on Linux.
std::vector<std::filesystem::path> list_driver_manifests();

/// Those of them that can be parsed, as a value for VK_DRIVER_FILES. One that cannot makes the loader of Debian 12
/// (1.3.239) fail as a whole, with VK_ERROR_OUT_OF_HOST_MEMORY, in the stead of leaving it out.
std::string join_parsable(const std::vector<std::filesystem::path>& manifests);

}  // namespace weir::compute::vulkan
