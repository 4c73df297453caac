#pragma once

#include <filesystem>
#include <memory>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "device/device.hpp"

namespace weir::device {

/// One way to see GPUs. A machine without it is no error: the list is empty.
class Provider {
 public:
  Provider() = default;
  virtual ~Provider() = default;
  Provider(const Provider&) = delete;
  Provider& operator=(const Provider&) = delete;
  virtual std::string_view name() const = 0;
  /// May hang in a driver: it is called in a child with a deadline. Errors: unsupported with the reason ("NVML: driver
  /// not loaded"), io.
  virtual Result<std::vector<Device>> devices() = 0;
};

using Providers = std::vector<std::unique_ptr<Provider>>;

/// NVIDIA's management library, loaded when it is there.
std::unique_ptr<Provider> make_nvml_provider();
/// The kernel's /sys/class/drm and the fdinfo of the processes that may be read; `root` is where sys and proc lie.
std::unique_ptr<Provider> make_drm_provider(std::filesystem::path root = "/");
/// AMD's compute driver, /sys/class/kfd.
std::unique_ptr<Provider> make_kfd_provider(std::filesystem::path root = "/");
/// Vulkan's list of physical devices.
std::unique_ptr<Provider> make_vulkan_provider();
/// oneAPI Level Zero.
std::unique_ptr<Provider> make_level_zero_provider();

/// All of them, in the order of trust: what an earlier one says of a device stands.
Providers make_providers();

}  // namespace weir::device
