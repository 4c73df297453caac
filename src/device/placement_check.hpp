#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "device/device.hpp"
#include "device/nvml.hpp"

namespace weir::device {

/// What shows where a process works.
struct PlacementEvidence {
  /// Memory or engine time that a driver books on one card for the process or a child of it.
  struct Booking {
    PciAddress pci;
    Bytes memory{};
    bool engine_used = false;  ///< an engine ran for it
    std::string source;
  };
  std::vector<Booking> bookings;
  std::vector<std::string> reported_uuids;  ///< UUIDs that the process was told by its own CUDA, Vulkan or Level Zero
  std::vector<PciAddress> opened_devices;   ///< device files that it has open: a hint, since drivers open every card
  std::string unknown_reason;               ///< why a source says nothing here; empty if all could speak
};

enum class PlacementStatus { proved, refuted, unknown };

struct PlacementCheck {
  PlacementStatus status = PlacementStatus::unknown;
  std::string text;  ///< proved: by what; refuted: "asked ..., got ..., why"; unknown: what is missing. One line
};

/// Judges whether the process of this evidence works on `asked` and on no other of `devices`. A UUID from inside, or
/// memory or engine time booked by the driver, proves; an open descriptor proves nothing. Less than 16 MiB on another
/// card without work is what looking for devices leaves behind, and no use. A pure function.
PlacementCheck check_placement(const Device& requested, std::span<const Device> devices,
                               const PlacementEvidence& evidence);

/// Collects evidence on the processes from NVML (null: there is none) and fdinfo. `root` is where proc lies. May hang in a
/// driver.
PlacementEvidence collect_evidence(std::span<const Device> devices, const std::vector<pid_t>& pids,
                                   const nvml::Library* library, const std::string& root = "/");

std::string_view name_of(PlacementStatus status);

}  // namespace weir::device
