#pragma once

#include <memory>
#include <string>
#include <vector>

#include <volk.h>

#include "base/result.hpp"

namespace weir::compute::vulkan {

/// What the Khronos validation layer (a library that checks the use of Vulkan) checks: nothing; the calls of Vulkan
/// (core); also missing barriers (synchronisation); also the memory accesses of shaders (gpu_assisted).
enum class Validation { none, core, synchronisation, gpu_assisted };

/// Access of this process to the Vulkan drivers. Owns the VkInstance. Every open device shares ownership of its
/// Instance. Thread-safe.
class Instance {
 public:
  /// Opens libvulkan (the Vulkan loader) and creates an instance. The loader leaves out drivers that cannot be loaded.
  /// Errors: unsupported if there is no libvulkan, no driver, or no validation layer although `validation` needs it;
  /// otherwise those of error_from_result().
  static Result<std::shared_ptr<Instance>> create(Validation validation = Validation::none);
  ~Instance();
  Instance(const Instance&) = delete;
  Instance& operator=(const Instance&) = delete;

  VkInstance handle() const { return handle_; }
  /// Returns the warnings and errors that the validation layer has reported so far; at most the first hundred.
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
