#pragma once

#include <memory>
#include <optional>

#include "device/nvml.hpp"
#include "device/pci_address.hpp"
#include "memory/meter.hpp"

namespace weir::device {

/// What this process has on one NVIDIA card, by NVML; where NVML cannot say that (WSL2, a container that does not see the
/// machine's process numbers), what is in use on the whole card, which is this process's growth only under an exclusive
/// lease. Null if NVML is not there. Makes no CUDA context.
std::shared_ptr<const memory::Meter> make_nvml_meter(const PciAddress& card);

/// What this process has on all DRM devices (AMD, Intel, nouveau), by its own fdinfo. Null where there are none.
std::shared_ptr<const memory::Meter> make_fdinfo_meter();

/// Memory of the whole of one card now; empty where nobody says.
struct CardMemory {
  std::optional<Bytes> used;  ///< by all processes
  std::optional<Bytes> free;
};
/// From NVML (null: there is none), else the kernel's sysfs. May hang in a driver.
CardMemory read_card_memory(const nvml::Library* library, const PciAddress& card);

}  // namespace weir::device
