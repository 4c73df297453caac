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

/// Who reads and writes a memory block: the device (the GPU) or the host (the CPU).
enum class MemoryUsage {
  device,    ///< the device reads and writes, the host does not
  upload,    ///< the host writes, the device reads
  download,  ///< the device writes, the host reads
};

/// Maximum number of storage buffers that a kernel reads as sources.
inline constexpr std::uint32_t kMaxSources = 8;
/// Binding numbers of a kernel's buffers, the same for all kernels (kernels/vulkan/interface.glsl declares them).
/// `sources` is an array of kMaxSources buffers; every other slot is one buffer. A gate is an array of factors, one per
/// channel. `count` is the number of slots.
enum class BindingSlot : std::uint32_t { sources = 0, target, weights, parameters, residual, gate, second_gate, count };
/// Number of buffers that are bound for one execution of a kernel.
inline constexpr std::uint32_t kDescriptorCount = static_cast<std::uint32_t>(BindingSlot::count) - 1 + kMaxSources;
inline constexpr std::uint32_t kPushBytes = 128;  // size of the push constants; every driver supports 128 bytes

/// Identifies a kernel to compile: a shader with the values of its specialisation constants (constants that are set
/// when the driver compiles the shader).
struct KernelId {
  std::string_view shader;               ///< Shader::name, for example "conv_ff"; must outlive the KernelId
  std::vector<std::uint32_t> constants;  ///< values by constant_id, from 0; a float is stored as its bits
  bool operator<(const KernelId& other) const {
    return std::tie(shader, constants) < std::tie(other.shader, other.constants);
  }
};

/// Memory allocated from the driver, with a VkBuffer that covers all of it. Memory for MemoryUsage::upload and download
/// is mapped into the address space of the host as long as it exists.
struct MemoryBlock {
  VkBuffer buffer = VK_NULL_HANDLE;
  VkDeviceMemory memory = VK_NULL_HANDLE;
  Bytes size;
  std::byte* host = nullptr;  ///< mapped address; null for MemoryUsage::device
};

/// Returns the index of the best memory type for this usage. Bit i of `allowed` permits type i. Types that buffers
/// cannot use, or that are slow, are left out. The order of preference:
/// - MemoryUsage::device: first device-local memory, then memory that the host cannot access;
/// - MemoryUsage::upload and download: first memory that is not device-local, then memory that the host does not cache
///   (upload) or caches (download). A type that the host cannot access without flushing is never chosen;
/// - among equal types the one with the largest heap. Some GPUs have a second heap of only 256 MiB, which the host can
///   access; it is thus avoided.
/// Errors: unsupported if no type is suitable. Calls no driver function.
Result<std::uint32_t> choose_memory_type(const VkPhysicalDeviceMemoryProperties& memory, std::uint32_t allowed,
                                         MemoryUsage usage);

/// A timeline semaphore (a counter that queues wait for and raise) and one of its values.
struct TimelinePoint {
  VkSemaphore semaphore = VK_NULL_HANDLE;  ///< null: no semaphore
  std::uint64_t value = 0;
};

/// A command buffer to submit to a queue, and what is signalled when its commands have ended.
struct CommandBatch {
  VkCommandBuffer command_buffer = VK_NULL_HANDLE;
  VkFence fence = VK_NULL_HANDLE;  ///< fence for the host: LogicalDevice::wait()
  TimelinePoint wait_for;          ///< point that must be reached before the commands begin
  TimelinePoint signal;            ///< point that is reached when the commands have ended
};

/// An open device with its queues and compiled kernels. Owns the VkDevice. Not thread-safe: one thread uses a device at
/// a time. A process may open several devices.
class LogicalDevice {
 public:
  /// Opens the device. `faults` may be null (no injected faults); otherwise it must outlive the device.
  /// Errors: unsupported, device_lost or over_budget, depending on the driver's result; unsupported if the driver has
  /// no suitable memory type.
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

  /// Allocates a memory block; the caller must call free() for it.
  /// Errors: over_budget; device_lost, also if the device was lost before; unsupported if the driver has no suitable
  /// memory type or for other results of the driver.
  Result<MemoryBlock> allocate(Bytes size, MemoryUsage usage);
  /// Gives a block back to the driver; does nothing if the device is abandoned.
  void free(const MemoryBlock& block);
  /// Returns whether memory for this usage comes from a device-local heap (on many integrated GPUs, all memory does).
  bool is_device_local(MemoryUsage usage) const { return device_local_[static_cast<std::size_t>(usage)]; }

  /// Returns the index of the queue's family.
  std::uint32_t queue_family(QueueRole queue) const {
    return queue == QueueRole::compute ? info_.queues.compute_family : info_.queues.transfer_family;
  }
  /// Submits the commands to the queue and returns at once. Errors: device_lost, over_budget, unsupported.
  Status submit(QueueRole queue, const CommandBatch& batch);
  /// Waits for a fence, `nanoseconds` at most. Returns true if it was signalled in time, false if not.
  /// Errors: device_lost, over_budget, unsupported, depending on the driver's result.
  Result<bool> wait(VkFence fence, std::uint64_t nanoseconds);

  /// Returns the kernel's pipeline (Vulkan's object for a compiled kernel), which the device owns. The first call for
  /// an `id` compiles the kernel. Errors: unsupported, also if there is no such shader; over_budget; device_lost.
  Result<VkPipeline> get_kernel(const KernelId& id);

  /// Returns whether the driver has returned VK_ERROR_DEVICE_LOST or abandon() was called. The device is then unusable.
  bool is_lost() const { return lost_; }
  /// Marks the device as lost because a submission did not end in time. Its objects cannot be destroyed without waiting
  /// for that submission, so they are never destroyed; the driver frees them when the process ends.
  void abandon();
  bool is_abandoned() const { return abandoned_; }
  /// Returns the memory that this process uses in all device-local heaps, as the driver reports it; zero if it does
  /// not.
  Bytes used_memory() const;

 private:
  LogicalDevice(std::shared_ptr<Instance> instance, const DeviceInfo& info, FaultInjector* faults)
      : instance_{std::move(instance)}, info_{info}, fault_injector_{faults} {}
  Status initialise();
  Status create_layouts();
  /// Returns the result that the fault injector sets in place of a driver call; VK_SUCCESS: the call is to be made.
  VkResult injected_result(FaultPoint point);
  /// Returns the error of a failed driver call, and marks the device as lost if the result is VK_ERROR_DEVICE_LOST.
  Error make_error(VkResult result, std::string_view operation);

  std::shared_ptr<Instance> instance_;
  DeviceInfo info_;
  FaultInjector* fault_injector_;
  VkDevice handle_ = VK_NULL_HANDLE;
  VolkDeviceTable api_{};
  std::array<VkQueue, 2> queues_{};  // indexed by QueueRole; both are the same queue where the device has only one
  VkPhysicalDeviceMemoryProperties memory_properties_{};
  std::array<bool, 3> device_local_{};  // indexed by MemoryUsage
  VkDescriptorSetLayout descriptor_layout_ = VK_NULL_HANDLE;
  VkPipelineLayout pipeline_layout_ = VK_NULL_HANDLE;
  std::map<KernelId, VkPipeline> kernels_;
  bool lost_ = false;
  bool abandoned_ = false;
};

}  // namespace weir::compute::vulkan
