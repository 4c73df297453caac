#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/result.hpp"
#include "compute/vulkan/buffer_pool.hpp"
#include "compute/vulkan/logical_device.hpp"
#include "compute/vulkan/queue_dependencies.hpp"

namespace weir::compute::vulkan {

/// What one submission needs; used again and again. The device must outlive it.
struct Submission {
  /// For at most so many commands; those that copy need no descriptors. Errors: those of the driver.
  static Result<std::unique_ptr<Submission>> create(LogicalDevice& device, QueueRole queue, int max_commands);
  ~Submission();
  Submission(const Submission&) = delete;
  Submission& operator=(const Submission&) = delete;

  /// It has ended, or never will. False if the driver cannot make it ready to be used again.
  bool reset();

  LogicalDevice& device;
  VkCommandPool command_pool = VK_NULL_HANDLE;
  VkCommandBuffer command_buffer = VK_NULL_HANDLE;
  VkFence fence = VK_NULL_HANDLE;
  VkDescriptorPool descriptor_pool = VK_NULL_HANDLE;
  std::vector<Buffer> temporary_buffers;
  int command_count = 0;
  double multiplications = 0;
  Ticket wait_for = 0;  ///< of the other stream: it begins when that has ended

 private:
  explicit Submission(LogicalDevice& owner) : device{owner} {}
};

}  // namespace weir::compute::vulkan
