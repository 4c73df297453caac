#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

#include "device/pci_address.hpp"
#include "memory/reading.hpp"

namespace weir::device {

/// The vendor of a GPU.
enum class Vendor { nvidia, amd, intel, other };
/// The kind of a GPU; `software`: a driver that computes on the CPU, such as llvmpipe.
enum class DeviceKind { discrete, integrated, software, unknown };

// The values below come from sources (Provider): NVML (NVIDIA's management library), DRM and KFD (kernel drivers),
// Level Zero (Intel) and Vulkan.

/// A process that uses a device.
struct GpuProcess {
  pid_t pid = 0;     ///< process id as the source reports it; NVML reports ids of the host, also within a container
  std::string name;  ///< program_name() of the process; may be empty
  std::optional<memory::Reading> memory;   ///< empty: the source does not report it
  std::optional<std::uint64_t> engine_ns;  ///< engine time since the process opened the device
};

/// One MIG instance of an NVIDIA card: a part of the card with separate memory and processors. Source:
/// https://docs.nvidia.com/datacenter/tesla/mig-user-guide/
struct MigInstance {
  std::string uuid;  ///< "MIG-..."
  std::string name;
  std::optional<memory::Reading> total, free;  ///< the memory of the instance
};

/// The index of a device in the device list of each software stack (CUDA, AMD's HIP, Intel's Level Zero, Vulkan), while
/// no mask (environment variable that hides devices) is set. -1: not in the list, or not known.
struct StackIndices {
  int cuda = -1;    ///< with CUDA_DEVICE_ORDER=PCI_BUS_ID
  int hip = -1;     ///< in the order of the nodes in /sys/class/kfd
  int ze = -1;      ///< Level Zero: index among cards, with ZE_ENABLE_PCI_ID_DEVICE_ORDER=1
  int vulkan = -1;  ///< in the order of vkEnumeratePhysicalDevices
};

/// One physical GPU (or, after expand_mig_instances(), one MIG instance), with the values from one source or merged
/// from all sources.
struct Device {
  std::string name;
  Vendor vendor = Vendor::other;
  DeviceKind kind = DeviceKind::unknown;
  std::string uuid;         ///< "GPU-..." (NVML), "GPU-" and AMD's unique id, "MIG-...", or 32 digits (Level Zero)
  std::string vulkan_uuid;  ///< deviceUUID, 32 hexadecimal digits; not unique for software devices
  std::optional<PciAddress> pci;
  std::uint32_t pci_vendor = 0, pci_device = 0;      ///< PCI ids, 0 if unknown
  std::string driver;                                ///< "nvidia 550.54", "amdgpu", "llvmpipe"
  std::optional<memory::Reading> total, free, used;  ///< the memory of the device
  std::vector<GpuProcess> processes;
  /// A source could list the processes that use the device, maybe only those that this user may inspect. If false,
  /// `processes` may lack any process.
  bool has_process_list = false;
  bool has_all_processes = false;  ///< `processes` contains the processes of all users that use the device
  std::vector<MigInstance> mig_instances;
  StackIndices stack_indices;
  std::string drm_card;              ///< name in /sys/class/drm: "card0"
  std::vector<std::string> sources;  ///< names of the sources that list it (Provider::name)
};

/// Returns the key of the device's lease (lease.hpp: the exclusive or shared use of a device). A device with a PCI
/// address has "pci-ADDRESS". A MIG instance, and a device without a PCI address, has "id-UUID", or "id-NAME-INDEX"
/// with its Vulkan index if it has no UUID. In "id-" keys '_' replaces all characters except ASCII letters, digits and
/// '-'; at most 100 remain.
std::string lease_key(const Device& device);

/// For a MIG instance, returns the key of the lease of its card: the holders of the card's instances share that lease.
/// Returns an empty text for other devices.
std::string parent_lease_key(const Device& device);

/// Returns a name of the device for messages: "NVIDIA GeForce RTX 3090 at 0000:01:00.0".
std::string to_text(const Device& device);

std::string_view name_of(Vendor vendor);
std::string_view name_of(DeviceKind kind);
Vendor vendor_of(std::uint32_t pci_vendor);

}  // namespace weir::device
