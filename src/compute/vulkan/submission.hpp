#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/result.hpp"
#include "compute/vulkan/buffer_pool.hpp"
#include "compute/vulkan/logical_device.hpp"
#include "compute/vulkan/queue_dependencies.hpp"

namespace weir::compute::vulkan {

/// The Vulkan objects that one submission (a batch of a Stream's commands) needs. A stream reuses them for later
/// submissions. The device must outlive it.
struct Submission {
  /// Creates the objects for at most `max_commands` commands; for the transfer queue without a descriptor pool.
  /// Errors: those of error_from_result().
  static Result<std::unique_ptr<Submission>> create(LogicalDevice& device, QueueRole queue, int max_commands);
  ~Submission();
  Submission(const Submission&) = delete;
  Submission& operator=(const Submission&) = delete;

  /// Makes the objects ready for the next submission and destroys the temporary buffers. The submission must have
  /// ended, or the device must be lost. Returns false if the driver cannot reset the objects.
  bool reset();

  LogicalDevice& device;
  VkCommandPool command_pool = VK_NULL_HANDLE;
  VkCommandBuffer command_buffer = VK_NULL_HANDLE;
  VkFence fence = VK_NULL_HANDLE;
  VkDescriptorPool descriptor_pool = VK_NULL_HANDLE;  ///< null for the transfer queue
  std::vector<Buffer> temporary_buffers;              ///< kept until the submission has ended
  int command_count = 0;                              ///< number of commands recorded so far
  double multiplications = 0;                         ///< multiplications of these commands
  Ticket wait_for = 0;  ///< ticket of the submission of the other stream that must end before this one begins; 0: none

 private:
  explicit Submission(LogicalDevice& owner) : device{owner} {}
};

}  // namespace weir::compute::vulkan
