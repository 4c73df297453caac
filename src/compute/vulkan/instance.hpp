#pragma once

#include <memory>
#include <string>
#include <vector>

#include <volk.h>

#include "base/result.hpp"

namespace weir::compute::vulkan {

/// How much the Khronos validation layer is to look at. Each level holds those before it.
enum class Validation { none, core, synchronisation, gpu_assisted };

/// The process's way to the Vulkan drivers. Owner of the VkInstance; devices keep it alive. Thread-safe.
class Instance {
 public:
  /// Opens libvulkan and asks it for its drivers. A driver that cannot be loaded is left out by the loader.
  /// Errors: unsupported: no libvulkan, no driver, or no validation layer where one is asked for.
  static Result<std::shared_ptr<Instance>> create(Validation validation = Validation::none);
  ~Instance();
  Instance(const Instance&) = delete;
  Instance& operator=(const Instance&) = delete;

  VkInstance handle() const { return handle_; }
  /// What the validation layer had to say so far, warnings too; at most the first hundred messages.
  std::vector<std::string> validation_messages() const;

 private:
  struct Messages;
  Instance();
  Status initialise(Validation validation);
  VkInstance handle_ = VK_NULL_HANDLE;
  VkDebugUtilsMessengerEXT messenger_ = VK_NULL_HANDLE;
  std::unique_ptr<Messages> messages_;
};

}  // namespace weir::compute::vulkan
