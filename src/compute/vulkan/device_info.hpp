#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <volk.h>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "compute/vulkan/queues.hpp"

namespace weir::compute::vulkan {

class Instance;

enum class DeviceKind { discrete, integrated, virtual_gpu, software, other };
std::string_view name_of(DeviceKind kind);  ///< "discrete GPU", "software", ...

/// One heap of a device's memory.
struct Heap {
  Bytes size;
  Bytes budget;  ///< what this process may take of it, by the driver's own word; the size where it does not say
  Bytes used;    ///< what this process has of it; zero where the driver does not say
  bool device_local = false;
};

/// What is known of a physical device before it is opened. A value.
struct DeviceInfo {
  VkPhysicalDevice handle = VK_NULL_HANDLE;
  std::string name;    ///< "NVIDIA H200", "llvmpipe (LLVM 15.0.6, 256 bits)"
  std::string vendor;  ///< "NVIDIA", "AMD", "Intel", "Mesa", or the number
  std::string driver;  ///< "llvmpipe Mesa 22.3.6 (LLVM 15.0.6)"
  DeviceKind kind = DeviceKind::other;
  std::string uuid;  ///< "GPU-6d657361-3232-2e33-2e36-000000000000"
  std::string pci;   ///< "0000:01:00.0"; empty if the driver does not say
  std::vector<Heap> heaps;
  bool has_memory_budget = false;       ///< VK_EXT_memory_budget
  bool has_half_storage = false;        ///< 16-bit values in storage buffers
  bool has_half_arithmetic = false;     ///< 16-bit floats in shaders
  bool has_cooperative_matrix = false;  ///< VK_NV_cooperative_matrix with 16x16x16 of float16 into float32
  std::uint32_t subgroup_size = 0;
  Bytes shared_memory;     ///< of a group of invocations
  Bytes max_buffer_range;  ///< of one storage buffer as a shader sees it
  Bytes max_allocation;
  Bytes binding_alignment;  ///< of a storage buffer's offset
  double timestamp_ns = 0;  ///< per tick; 0: the queue has no timestamps
  Queues queues;
  bool has_timeline_semaphores = false;       ///< VK_KHR_timeline_semaphore
  std::vector<std::string> missing_features;  ///< what weir needs and this driver lacks
};

/// The devices in the loader's order. Devices of drivers older than Vulkan 1.1 are listed with what they lack.
std::vector<DeviceInfo> list_devices(const Instance& instance);

/// Heaps with their budget as it is now.
std::vector<Heap> read_heaps(VkPhysicalDevice device, bool has_memory_budget);

/// What a wish for a device came to.
struct DeviceChoice {
  std::size_t index = 0;
  bool software_by_default = false;  ///< nothing else was there: say so
};
/// "gpu": the best that is no software device (discrete before integrated, then the most memory), or the software device
/// if it is alone; "GPU-..." by UUID; "pci:0000:01:00.0"; else a part of the name, any case. "WISH#2" is the second of
/// those that match. Makes no driver call.
/// Errors: invalid_argument with the list when none or several match; unsupported when the one lacks something.
Result<DeviceChoice> choose_device(std::span<const DeviceInfo> devices, std::string_view selector);

/// One line per device: "llvmpipe (LLVM 15.0.6, 256 bits), software, Mesa, 2 GiB, GPU-6d65...".
std::string describe(const DeviceInfo& device);

}  // namespace weir::compute::vulkan
