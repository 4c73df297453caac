#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "device/device.hpp"
#include "device/nvml.hpp"

namespace weir::device {

/// Evidence of the devices on which a command (a set of processes) works.
struct PlacementEvidence {
  /// The use of one card that a driver reports for one of the processes.
  struct Booking {
    PciAddress pci;
    Bytes memory{};            ///< 16 MiB, the least that counts, if NVML lists the process but not its memory (WSL)
    bool engine_used = false;  ///< an engine worked for the process
    std::string source;        ///< name of the source, for messages: "NVML", "fdinfo"
  };
  std::vector<Booking> bookings;
  std::vector<std::string> reported_uuids;  ///< UUIDs that the process itself read from CUDA, Vulkan or Level Zero
  /// Cards whose device files the processes have open: only a hint, since drivers open every card.
  std::vector<PciAddress> opened_devices;
  std::string unknown_reason;  ///< why NVML did not report the processes; empty if it did, or without NVIDIA cards
};

/// Whether a command works on the device that was requested.
enum class PlacementStatus {
  proved,   ///< evidence shows that it works on this device, and none shows another device
  refuted,  ///< evidence shows that it works on another device
  unknown   ///< there is no evidence
};

/// The result of check_placement().
struct PlacementCheck {
  PlacementStatus status = PlacementStatus::unknown;
  std::string text;  ///< the reason, one line; proved: the evidence; unknown: the missing evidence
};

/// Checks whether the command works on the device `requested` and on no other of `devices`. These count as evidence of
/// use: a UUID that the process itself reported, engine time, at least 16 MiB of memory, or an entry in NVML's list of
/// compute or graphics processes whose memory NVML does not know. Less memory does not count, because a program that only lists
/// the devices allocates a few MiB on every card. An open device file does not count either. A pure function.
PlacementCheck check_placement(const Device& requested, std::span<const Device> devices,
                               const PlacementEvidence& evidence);

/// Collects evidence about the processes `pids` from NVML (`library`; null: not available) and from fdinfo (FdInfo).
/// `root`: the folder that contains proc. May hang in a driver. Does not set reported_uuids.
PlacementEvidence collect_evidence(std::span<const Device> devices, const std::vector<pid_t>& pids,
                                   const nvml::Library* library, const std::string& root = "/");

std::string_view name_of(PlacementStatus status);

}  // namespace weir::device
