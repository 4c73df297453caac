#pragma once

#include <memory>
#include <optional>

#include "device/nvml.hpp"
#include "device/pci_address.hpp"
#include "memory/meter.hpp"

namespace weir::device {

/// Returns a meter of this process's memory on one NVIDIA card, from NVML (NVIDIA's management library). Where NVML
/// reports no memory of processes (WSL2, a container that does not see the host's process ids), the meter reads the
/// memory in use on the whole card; its growth is the growth of this process only under an exclusive lease. Returns
/// null if NVML is not available. Makes no CUDA context.
std::shared_ptr<const memory::Meter> make_nvml_meter(const PciAddress& card);

/// Returns a meter of this process's memory on all DRM devices (GPUs with a kernel driver such as amdgpu, i915, xe or
/// nouveau), from /proc/self/fdinfo. Returns null if the machine has no DRM device.
std::shared_ptr<const memory::Meter> make_fdinfo_meter();

/// The memory of one whole card now; empty: no source reports the value.
struct CardMemory {
  std::optional<Bytes> used;  ///< used by all processes
  std::optional<Bytes> free;
};
/// Reads the memory of a card from NVML (`library`; null: not available), else from sysfs. May hang in a driver.
CardMemory read_card_memory(const nvml::Library* library, const PciAddress& card);

}  // namespace weir::device
