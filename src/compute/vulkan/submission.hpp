#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/result.hpp"
#include "compute/vulkan/crossings.hpp"
#include "compute/vulkan/device.hpp"
#include "compute/vulkan/pool.hpp"

namespace weir::compute::vulkan {

/// What one submission needs; used again and again. The device must outlive it.
struct Submission {
  /// For at most so many commands; those that copy need no descriptors. Errors: those of the driver.
  static Result<std::unique_ptr<Submission>> create(Device& device, Lane lane, int max_commands);
  ~Submission();
  Submission(const Submission&) = delete;
  Submission& operator=(const Submission&) = delete;

  /// It has ended, or never will. False if the driver cannot make it ready to be used again.
  bool clear();

  Device& device;
  VkCommandPool commands = VK_NULL_HANDLE;
  VkCommandBuffer buffer = VK_NULL_HANDLE;
  VkFence fence = VK_NULL_HANDLE;
  VkDescriptorPool descriptors = VK_NULL_HANDLE;
  std::vector<Buffer> temporaries;
  int count = 0;
  double multiplications = 0;
  Ticket after = 0;  ///< of the other stream: it begins when that has ended

 private:
  explicit Submission(Device& of) : device{of} {}
};

}  // namespace weir::compute::vulkan
