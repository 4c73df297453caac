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
std::string_view name_of(DeviceKind kind);  ///< Returns "discrete GPU", "software", ...

/// One memory heap of a device: memory of the GPU itself (device-local), or memory of the host.
struct Heap {
  Bytes size;
  Bytes budget;  ///< memory of the heap that this process may use; `size` if the driver does not report it
  Bytes used;    ///< memory of the heap that this process uses; zero if the driver does not report it
  bool device_local = false;
};

/// Properties of a Vulkan device, read before it is opened. Copyable. If the driver lacks Vulkan 1.1, only `handle`,
/// `name`, `vendor`, `kind`, `heaps` and `missing_features` are set.
struct DeviceInfo {
  VkPhysicalDevice handle = VK_NULL_HANDLE;
  std::string name;    ///< "NVIDIA H200", "llvmpipe (LLVM 15.0.6, 256 bits)"
  std::string vendor;  ///< "NVIDIA", "AMD", "Intel", "Mesa", or "vendor 0x1234" (its number)
  std::string driver;  ///< "llvmpipe Mesa 22.3.6 (LLVM 15.0.6)", or "version 0x..."
  DeviceKind kind = DeviceKind::other;
  std::string uuid;  ///< "GPU-6d657361-3232-2e33-2e36-000000000000"
  std::string pci;   ///< "0000:01:00.0"; empty if the driver does not report it
  std::vector<Heap> heaps;
  bool has_memory_budget = false;    ///< VK_EXT_memory_budget is present: heaps have a budget
  bool has_half_storage = false;     ///< storage buffers may hold 16-bit values
  bool has_half_arithmetic = false;  ///< shaders may compute with 16-bit floats
  /// The device can run conv3x3_matrix.comp: shaders can multiply 16x16 matrices of float16 (VK_NV_cooperative_matrix),
  /// and all else that this kernel needs is there, for example subgroups of 32 invocations.
  bool has_cooperative_matrix = false;
  std::uint32_t subgroup_size = 0;  ///< number of shader invocations in a subgroup, which execute together
  Bytes shared_memory;              ///< largest shared memory of a workgroup
  Bytes max_buffer_range;           ///< largest storage buffer range that a shader can access
  Bytes max_allocation;             ///< largest single memory allocation
  Bytes binding_alignment;          ///< required alignment of a storage buffer's offset
  double timestamp_ns = 0;          ///< nanoseconds per timestamp tick; 0: the compute queue has no timestamps
  Queues queues;
  bool has_timeline_semaphores = false;       ///< VK_KHR_timeline_semaphore is present and supported
  std::vector<std::string> missing_features;  ///< required features that this driver lacks
};

/// Returns all devices, in the order of the Vulkan loader, also those that lack required features. Returns an empty
/// list if the loader fails.
std::vector<DeviceInfo> list_devices(const Instance& instance);

/// Returns the device's heaps. `has_memory_budget` is that of DeviceInfo: if it is true, each heap has its current
/// budget and use.
std::vector<Heap> read_heaps(VkPhysicalDevice device, bool has_memory_budget);

/// Result of choose_device().
struct DeviceChoice {
  std::size_t index = 0;  ///< index of the device in the list
  /// The selector was "gpu" or "gpu#N", and the device is a software device: the user must be informed.
  bool software_by_default = false;
};
/// Chooses the device that a selector describes:
/// - "gpu": the best device that lacks no required feature: discrete GPUs come before integrated GPUs, and these before
///   other kinds; among equal kinds, the device with the largest device-local heap is the best. It is a software
///   device only if the list has no GPU;
/// - "GPU-...": a device by its UUID;
/// - "pci:0000:01:00.0": a device by its PCI address;
/// - anything else: a part of the device's name; upper and lower case are the same.
/// "SELECTOR#2" chooses the second of the matching devices, in the order of the list; "gpu#2" chooses the second device
/// of the list. Calls no driver function.
/// Errors:
/// - invalid_argument if no device matches, or if several match a selector without # that is not "gpu" (both messages
///   list the devices); also if no number from 1 on follows the #;
/// - unsupported if the chosen device lacks a required feature; also if "gpu" finds GPUs but each lacks one.
Result<DeviceChoice> choose_device(std::span<const DeviceInfo> devices, std::string_view selector);

/// Returns a line of text with name, kind, vendor, size of the largest device-local heap, and UUID of a device:
/// "llvmpipe (LLVM 15.0.6, 256 bits), software, Mesa, 2 GiB, GPU-6d65...". The PCI address and the missing features
/// follow, if there are any.
std::string describe(const DeviceInfo& device);

}  // namespace weir::compute::vulkan
