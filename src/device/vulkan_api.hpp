#pragma once

#define VK_NO_PROTOTYPES 1
#include <vulkan/vulkan_core.h>

#include <memory>
#include <vector>

#include "base/result.hpp"
#include "base/shared_library.hpp"

namespace weir::device {

/// Vulkan's loader with a VkInstance, which lists devices; it creates no VkDevice and uses no memory on a card. Use it
/// in a child process (ChildProbe), since drivers may hang.
class VulkanInstance {
 public:
  /// Loads Vulkan and creates an instance. Errors: unsupported: no loader, or no driver.
  static Result<VulkanInstance> create();

  std::vector<VkPhysicalDevice> physical_devices() const;  ///< in the loader's order

  /// Returns the Vulkan function with this name; null if the loader does not have it.
  template <class Function>
  Function find(const char* name) const {
    return reinterpret_cast<Function>(get_(instance_.get(), name));
  }

 private:
  struct Destroy {
    PFN_vkDestroyInstance destroy;
    void operator()(VkInstance instance) const noexcept { destroy(instance, nullptr); }
  };
  VulkanInstance(PFN_vkGetInstanceProcAddr get, VkInstance instance, PFN_vkDestroyInstance destroy)
      : get_{get}, instance_{instance, Destroy{destroy}} {}
  PFN_vkGetInstanceProcAddr get_;
  std::unique_ptr<VkInstance_T, Destroy> instance_;
};

}  // namespace weir::device
