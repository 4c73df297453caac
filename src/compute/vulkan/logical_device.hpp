#pragma once

#include <array>
#include <cstddef>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include <volk.h>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "compute/vulkan/device_info.hpp"
#include "compute/vulkan/fault_injector.hpp"
#include "compute/vulkan/instance.hpp"

namespace weir::compute::vulkan {

/// Whose reads and writes a piece of memory must be good for.
enum class MemoryUsage {
  device,    ///< the device alone
  upload,    ///< written by the host, read by the device
  download,  ///< written by the device, read by the host
};

/// Storage buffers that a kernel can read side by side as sources; the places of its other buffers follow.
inline constexpr std::uint32_t kMaxSources = 8;
/// What the one layout of all kernels holds beside the sources: see src/compute/kernels/vulkan/interface.glsl.
enum class BindingSlot : std::uint32_t { sources = 0, target, weights, parameters, residual, gate, second_gate, count };
inline constexpr std::uint32_t kDescriptorCount = static_cast<std::uint32_t>(BindingSlot::count) - 1 + kMaxSources;
inline constexpr std::uint32_t kPushBytes = 128;  // what every driver has

/// A kernel as it runs: a shader by the name of its file and variant, with values for its constants.
struct KernelId {
  std::string_view shader;               ///< "conv_ff"
  std::vector<std::uint32_t> constants;  ///< by constant_id from 0; floats as their bits
  bool operator<(const KernelId& other) const {
    return std::tie(shader, constants) < std::tie(other.shader, other.constants);
  }
};

/// Memory of the driver with the buffer that lies over all of it; mapped for as long as it lives if the host sees it.
struct MemoryBlock {
  VkBuffer buffer = VK_NULL_HANDLE;
  VkDeviceMemory memory = VK_NULL_HANDLE;
  Bytes size;
  std::byte* host = nullptr;
};

/// Index of the memory type for a use, of those in `allowed`; memory that the device owns and the host does not see comes
/// first for the device, and of equals the one with the largest heap (a window of 256 MiB into it is not it).
/// Errors: unsupported if no type will do. Makes no driver call.
Result<std::uint32_t> choose_memory_type(const VkPhysicalDeviceMemoryProperties& memory, std::uint32_t allowed,
                                         MemoryUsage usage);

/// A timeline semaphore, and a value of it.
struct TimelinePoint {
  VkSemaphore semaphore = VK_NULL_HANDLE;  ///< none: null
  std::uint64_t value = 0;
};

/// Commands that a queue is to run.
struct CommandBatch {
  VkCommandBuffer command_buffer = VK_NULL_HANDLE;
  VkFence fence = VK_NULL_HANDLE;
  TimelinePoint wait_for;  ///< they begin when this is reached
  TimelinePoint signal;    ///< is reached when they have ended
};

/// A device that is open: its queues, its memory, its kernels. Owner of the VkDevice. Not thread-safe: one thread uses a
/// device at a time. Several devices may be open in a process.
class LogicalDevice {
 public:
  /// `faults` may be null; else it must outlive the device.
  /// Errors: unsupported, device_lost or over_budget by the driver's answer.
  static Result<std::unique_ptr<LogicalDevice>> open(std::shared_ptr<Instance> instance, const DeviceInfo& info,
                                                     FaultInjector* faults = nullptr);
  ~LogicalDevice();
  LogicalDevice(const LogicalDevice&) = delete;
  LogicalDevice& operator=(const LogicalDevice&) = delete;

  const DeviceInfo& info() const { return info_; }
  const VolkDeviceTable& api() const { return api_; }
  VkDevice handle() const { return handle_; }
  VkPipelineLayout pipeline_layout() const { return pipeline_layout_; }
  VkDescriptorSetLayout descriptor_layout() const { return descriptor_layout_; }

  /// Errors: over_budget, device_lost; unsupported without fitting memory.
  Result<MemoryBlock> allocate(Bytes size, MemoryUsage usage);
  void free(const MemoryBlock& block);
  /// Whether memory of this use counts against the device's own.
  bool is_device_local(MemoryUsage usage) const { return device_local_[static_cast<std::size_t>(usage)]; }

  std::uint32_t queue_family(QueueRole queue) const {
    return queue == QueueRole::compute ? info_.queues.compute_family : info_.queues.transfer_family;
  }
  Status submit(QueueRole queue, const CommandBatch& batch);
  /// True if the fence was signalled within the time, false if not. Errors: device_lost.
  Result<bool> wait(VkFence fence, std::uint64_t nanoseconds);

  /// Compiled by the driver the first time. Errors: unsupported; over_budget.
  Result<VkPipeline> get_kernel(const KernelId& id);

  /// An answer was VK_ERROR_DEVICE_LOST, or a submission did not end: nothing more can be done here.
  bool is_lost() const { return lost_; }
  /// A submission did not end in time. What belongs to it cannot be destroyed without waiting for it, so it is left to
  /// the driver until the process ends.
  void abandon();
  bool is_abandoned() const { return abandoned_; }
  /// The memory in use by this process over all device-local heaps, as the driver sees it; zero if it does not say.
  Bytes used_memory() const;

 private:
  LogicalDevice(std::shared_ptr<Instance> instance, const DeviceInfo& info, FaultInjector* faults)
      : instance_{std::move(instance)}, info_{info}, fault_injector_{faults} {}
  Status initialise();
  Status create_layouts();
  VkResult injected_result(FaultPoint point);
  Error make_error(VkResult result, std::string_view operation);

  std::shared_ptr<Instance> instance_;
  DeviceInfo info_;
  FaultInjector* fault_injector_;
  VkDevice handle_ = VK_NULL_HANDLE;
  VolkDeviceTable api_{};
  std::array<VkQueue, 2> queues_{};  // by Lane; the same twice where there is but one
  VkPhysicalDeviceMemoryProperties memory_properties_{};
  std::array<bool, 3> device_local_{};  // by Where
  VkDescriptorSetLayout descriptor_layout_ = VK_NULL_HANDLE;
  VkPipelineLayout pipeline_layout_ = VK_NULL_HANDLE;
  std::map<KernelId, VkPipeline> kernels_;
  bool lost_ = false;
  bool abandoned_ = false;
};

}  // namespace weir::compute::vulkan
