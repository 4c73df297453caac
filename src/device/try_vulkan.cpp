// The test of one device with Vulkan (try_device.hpp), with as few calls as possible.

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>

#include <fmt/format.h>

#include "device/try_device.hpp"
#include "device/vulkan_api.hpp"

namespace weir::device {
namespace {

constexpr VkDeviceSize kBufferBytes = 4U << 20U;
constexpr std::uint32_t kPattern = 0x77E12A5B;  // any value that unwritten memory is not likely to have

Error failure(const char* step, VkResult code) {
  return {Errc::unsupported, fmt::format("Vulkan: {} fails with {}", step, static_cast<int>(code))};
}

/// One logical device with a buffer that the host can read. The destructor destroys its objects in reverse order.
class TestDevice {
 public:
  TestDevice(const VulkanInstance& instance, VkPhysicalDevice physical) : instance_{instance}, physical_{physical} {}
  TestDevice(const TestDevice&) = delete;
  TestDevice& operator=(const TestDevice&) = delete;
  ~TestDevice() {
    if (device_ == nullptr) return;
    find<PFN_vkDestroyCommandPool>("vkDestroyCommandPool")(device_, pool_, nullptr);
    find<PFN_vkDestroyBuffer>("vkDestroyBuffer")(device_, buffer_, nullptr);
    find<PFN_vkFreeMemory>("vkFreeMemory")(device_, memory_, nullptr);
    find<PFN_vkDestroyDevice>("vkDestroyDevice")(device_, nullptr);
  }

  /// Fills the buffer on the device and compares it on the host. Call it once.
  Result<std::string> work() {
    if (const VkResult made = make_device(); made != VK_SUCCESS) return failure("vkCreateDevice", made);
    if (const VkResult made = make_buffer(); made != VK_SUCCESS) return failure("a buffer of 4 MiB", made);
    if (const VkResult done = fill(); done != VK_SUCCESS) return failure("filling a buffer", done);
    void* mapped = nullptr;
    const VkResult map = find<PFN_vkMapMemory>("vkMapMemory")(device_, memory_, 0, kBufferBytes, 0, &mapped);
    if (map != VK_SUCCESS) return failure("vkMapMemory", map);
    const std::span words{static_cast<const std::uint32_t*>(mapped), kBufferBytes / 4};
    if (std::any_of(words.begin(), words.end(), [](std::uint32_t word) { return word != kPattern; }))
      return Error{Errc::device_lost, "Vulkan: what was written is not what was read back"};
    return std::string{"4 MiB filled and read back"};
  }

 private:
  template <class Function>
  Function find(const char* name) const {
    return instance_.find<Function>(name);
  }

  VkResult make_device() {
    const float priority = 1;
    VkDeviceQueueCreateInfo queue{};
    queue.sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO;
    // The first queue family of every driver supports fill: graphics or compute imply transfer.
    queue.queueFamilyIndex = 0;
    queue.queueCount = 1;
    queue.pQueuePriorities = &priority;
    VkDeviceCreateInfo info{};
    info.sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO;
    info.queueCreateInfoCount = 1;
    info.pQueueCreateInfos = &queue;
    return find<PFN_vkCreateDevice>("vkCreateDevice")(physical_, &info, nullptr, &device_);
  }

  /// Makes a buffer in memory that the host can map and read without flushing.
  VkResult make_buffer() {
    VkBufferCreateInfo info{};
    info.sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO;
    info.size = kBufferBytes;
    info.usage = VK_BUFFER_USAGE_TRANSFER_DST_BIT;
    if (const VkResult made = find<PFN_vkCreateBuffer>("vkCreateBuffer")(device_, &info, nullptr, &buffer_);
        made != VK_SUCCESS)
      return made;
    VkMemoryRequirements needs{};
    find<PFN_vkGetBufferMemoryRequirements>("vkGetBufferMemoryRequirements")(device_, buffer_, &needs);
    VkPhysicalDeviceMemoryProperties properties{};
    find<PFN_vkGetPhysicalDeviceMemoryProperties>("vkGetPhysicalDeviceMemoryProperties")(physical_, &properties);
    VkMemoryAllocateInfo allocation{};
    allocation.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO;
    allocation.allocationSize = needs.size;
    constexpr VkMemoryPropertyFlags kWanted =
        VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT;
    const auto types = std::span{properties.memoryTypes}.first(properties.memoryTypeCount);
    for (std::uint32_t i = 0; i < types.size(); ++i) {
      if ((needs.memoryTypeBits >> i & 1U) == 0 || (types[i].propertyFlags & kWanted) != kWanted) continue;
      allocation.memoryTypeIndex = i;
      const VkResult made = find<PFN_vkAllocateMemory>("vkAllocateMemory")(device_, &allocation, nullptr, &memory_);
      return made != VK_SUCCESS ? made
                                : find<PFN_vkBindBufferMemory>("vkBindBufferMemory")(device_, buffer_, memory_, 0);
    }
    return VK_ERROR_OUT_OF_HOST_MEMORY;
  }

  /// Fills the buffer with kPattern and waits until the device has done it.
  VkResult fill() {
    VkCommandPoolCreateInfo pool{};
    pool.sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO;
    VkResult done = find<PFN_vkCreateCommandPool>("vkCreateCommandPool")(device_, &pool, nullptr, &pool_);
    if (done != VK_SUCCESS) return done;
    VkCommandBufferAllocateInfo allocation{};
    allocation.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO;
    allocation.commandPool = pool_;
    allocation.commandBufferCount = 1;
    VkCommandBuffer commands = nullptr;
    done = find<PFN_vkAllocateCommandBuffers>("vkAllocateCommandBuffers")(device_, &allocation, &commands);
    if (done != VK_SUCCESS) return done;
    VkCommandBufferBeginInfo begin{};
    begin.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO;
    find<PFN_vkBeginCommandBuffer>("vkBeginCommandBuffer")(commands, &begin);
    find<PFN_vkCmdFillBuffer>("vkCmdFillBuffer")(commands, buffer_, 0, kBufferBytes, kPattern);
    done = find<PFN_vkEndCommandBuffer>("vkEndCommandBuffer")(commands);
    if (done != VK_SUCCESS) return done;
    VkQueue queue = nullptr;
    find<PFN_vkGetDeviceQueue>("vkGetDeviceQueue")(device_, 0, 0, &queue);
    VkSubmitInfo submit{};
    submit.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO;
    submit.commandBufferCount = 1;
    submit.pCommandBuffers = &commands;
    done = find<PFN_vkQueueSubmit>("vkQueueSubmit")(queue, 1, &submit, VK_NULL_HANDLE);
    return done != VK_SUCCESS ? done : find<PFN_vkQueueWaitIdle>("vkQueueWaitIdle")(queue);
  }

  const VulkanInstance& instance_;
  VkPhysicalDevice physical_;
  VkDevice device_ = nullptr;
  VkBuffer buffer_ = VK_NULL_HANDLE;
  VkDeviceMemory memory_ = VK_NULL_HANDLE;
  VkCommandPool pool_ = VK_NULL_HANDLE;
};

}  // namespace

Result<std::string> try_vulkan(const Device& device) {
  const auto instance = VulkanInstance::create();
  if (!instance) return instance.error();
  const auto all = instance->physical_devices();
  if (device.stack_indices.vulkan < 0 || static_cast<std::size_t>(device.stack_indices.vulkan) >= all.size())
    return Error{Errc::unsupported, "Vulkan: no driver shows this device"};
  return TestDevice{*instance, all[static_cast<std::size_t>(device.stack_indices.vulkan)]}.work();
}

}  // namespace weir::device
