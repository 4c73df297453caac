#pragma once

#include <cstddef>

namespace weir::device::nvml {

// The part of the NVIDIA Management Library's C interface that weir uses, declared here because Debian has no header
// for it.
// Source: NVML API Reference Guide (https://docs.nvidia.com/deploy/nvml-api/), checked against the layouts that the
// library checks itself: the version of nvmlMemory_v2_t contains its size.

using Return = int;
inline constexpr Return kSuccess = 0;
inline constexpr Return kNotSupported = 3;
inline constexpr Return kNoPermission = 4;
inline constexpr Return kInsufficientSize = 7;
inline constexpr Return kDriverNotLoaded = 9;

struct DeviceHandle;
using Device = DeviceHandle*;  // nvmlDevice_t: the library's handle of a card or MIG instance

struct PciInfo {  // nvmlPciInfo_t
  char bus_id_legacy[16];
  unsigned domain, bus, device, device_id, subsystem_id;
  char bus_id[32];
};

struct MemoryV2 {  // nvmlMemory_v2_t
  unsigned version;
  unsigned long long total, reserved, free, used;
};
/// The value of MemoryV2::version: the size of the structure, and version 2 in the upper bits.
inline constexpr unsigned kMemoryV2 = sizeof(MemoryV2) | (2U << 24);

struct MemoryV1 {  // nvmlMemory_t
  unsigned long long total, free, used;
};

struct ProcessInfo {  // nvmlProcessInfo_t of the functions that end in _v2 and _v3
  unsigned pid;
  unsigned long long used_memory;
  unsigned gpu_instance, compute_instance;
};
/// NVML_VALUE_NOT_AVAILABLE: all bits set, never a valid size.
inline constexpr unsigned long long kNotAvailable = ~0ULL;

/// Pointers to the functions, with their names in the library. Those marked "may be missing" are null in old libraries.
struct Functions {
  Return (*nvmlInit_v2)();
  Return (*nvmlShutdown)();
  const char* (*nvmlErrorString)(Return);
  Return (*nvmlSystemGetDriverVersion)(char*, unsigned);
  Return (*nvmlDeviceGetCount_v2)(unsigned*);
  Return (*nvmlDeviceGetHandleByIndex_v2)(unsigned, Device*);
  Return (*nvmlDeviceGetName)(Device, char*, unsigned);
  Return (*nvmlDeviceGetUUID)(Device, char*, unsigned);
  Return (*nvmlDeviceGetPciInfo_v3)(Device, PciInfo*);
  Return (*nvmlDeviceGetMemoryInfo)(Device, MemoryV1*);
  Return (*nvmlDeviceGetMemoryInfo_v2)(Device, MemoryV2*);                              // may be missing
  Return (*nvmlDeviceGetComputeRunningProcesses_v3)(Device, unsigned*, ProcessInfo*);   // or _v2, or missing
  Return (*nvmlDeviceGetGraphicsRunningProcesses_v3)(Device, unsigned*, ProcessInfo*);  // or _v2, or missing
  Return (*nvmlDeviceGetMigMode)(Device, unsigned* current, unsigned* pending);         // may be missing
  Return (*nvmlDeviceGetMaxMigDeviceCount)(Device, unsigned*);                          // may be missing
  Return (*nvmlDeviceGetMigDeviceHandleByIndex)(Device, unsigned, Device*);             // may be missing
};

}  // namespace weir::device::nvml
