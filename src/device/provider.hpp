#pragma once

#include <filesystem>
#include <memory>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "device/device.hpp"

namespace weir::device {

/// One source of information about GPUs: a library or a kernel interface.
class Provider {
 public:
  Provider() = default;
  virtual ~Provider() = default;
  Provider(const Provider&) = delete;
  Provider& operator=(const Provider&) = delete;
  virtual std::string_view name() const = 0;
  /// Returns the devices that the source lists. It may hang in a driver, so call it in a child with a deadline
  /// (ChildProbe). Errors: io; unsupported if the machine does not have the source or its driver.
  virtual Result<std::vector<Device>> devices() = 0;
};

using Providers = std::vector<std::unique_ptr<Provider>>;

/// Reads NVML, NVIDIA's management library.
std::unique_ptr<Provider> make_nvml_provider();
/// Reads /sys/class/drm (the kernel's GPU drivers) and, if permitted, the fdinfo of processes (FdInfo). `root`: the
/// folder that contains sys and proc.
std::unique_ptr<Provider> make_drm_provider(std::filesystem::path root = "/");
/// Reads AMD's compute driver, /sys/class/kfd. `root`: the folder that contains sys.
std::unique_ptr<Provider> make_kfd_provider(std::filesystem::path root = "/");
/// Reads Vulkan's list of physical devices.
std::unique_ptr<Provider> make_vulkan_provider();
/// Reads oneAPI Level Zero.
std::unique_ptr<Provider> make_level_zero_provider();

/// Returns all providers in order of priority for merge_devices(): NVML, DRM, KFD, Level Zero, Vulkan.
Providers make_providers();

}  // namespace weir::device
