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

enum class Vendor { nvidia, amd, intel, other };
enum class DeviceKind { discrete, integrated, software, unknown };

/// A process on a device.
struct GpuProcess {
  pid_t pid = 0;  ///< as the source says it: NVML counts in the machine's numbers, also within a container
  std::string name;
  std::optional<memory::Reading> memory;   ///< empty: the source does not say
  std::optional<std::uint64_t> engine_ns;  ///< time on the engines since the process opened the device
};

/// One MIG instance of an NVIDIA card: https://docs.nvidia.com/datacenter/tesla/mig-user-guide/
struct MigInstance {
  std::string uuid;  ///< "MIG-..."
  std::string name;
  std::optional<memory::Reading> total, free;
};

/// Where a device stands in the lists of each stack, unmasked; -1: not there, or not known.
struct StackIndices {
  int cuda = -1;    ///< with CUDA_DEVICE_ORDER=PCI_BUS_ID
  int hip = -1;     ///< in the order of the KFD's nodes
  int ze = -1;      ///< cards, with ZE_ENABLE_PCI_ID_DEVICE_ORDER=1
  int vulkan = -1;  ///< as vkEnumeratePhysicalDevices lists them
};

/// One physical GPU, or what one source knows of it.
struct Device {
  std::string name;
  Vendor vendor = Vendor::other;
  DeviceKind kind = DeviceKind::unknown;
  std::string uuid;         ///< NVML's "GPU-...", AMD's unique id "GPU-0123456789abcdef"; empty if there is none
  std::string vulkan_uuid;  ///< deviceUUID, 32 hexadecimal digits; not unique for software devices
  std::optional<PciAddress> pci;
  std::uint32_t pci_vendor = 0, pci_device = 0;  ///< the ids, 0 if unknown
  std::string driver;                            ///< "nvidia 550.54", "amdgpu", "llvmpipe"
  std::optional<memory::Reading> total, free, used;
  std::vector<GpuProcess> processes;
  bool is_process_list_complete = false;  ///< false: an empty list says nothing
  std::vector<MigInstance> mig_instances;
  StackIndices stack_indices;
  std::string drm_card;              ///< "card0" of /sys/class/drm
  std::vector<std::string> sources;  ///< the probes that saw it
};

/// The name of its lease: by PCI address, which every source and every stack can tell; else by UUID.
std::string lease_key(const Device& device);

/// Of a MIG instance the name of its card's lease, which its holder shares; else empty.
std::string parent_lease_key(const Device& device);

/// "NVIDIA GeForce RTX 3090 at 0000:01:00.0".
std::string to_text(const Device& device);

std::string_view name_of(Vendor vendor);
std::string_view name_of(DeviceKind kind);
Vendor vendor_of(std::uint32_t pci_vendor);

}  // namespace weir::device
