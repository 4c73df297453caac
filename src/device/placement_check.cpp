#include "device/placement_check.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.hpp"
#include "device/fdinfo.hpp"
#include "device/nvml.hpp"
#include "device/process_identity.hpp"

namespace weir::device {
namespace {

// The smallest memory of a process on a card that counts as use of the card. A process that only lists the devices
// needs less: the driver allocates page tables and a few fences on each card. A CUDA context takes 100 MiB or more.
constexpr Bytes kMinUseMemory = 16_MiB;

/// Returns true if the booking is evidence that a process works on the card.
bool is_use(const PlacementEvidence::Booking& booking) {
  return booking.engine_used || booking.memory >= kMinUseMemory;
}

/// Returns the name, for messages, of the device with this PCI address; the address itself if no device has it.
std::string name_at(std::span<const Device> devices, const PciAddress& pci) {
  const auto at = std::find_if(devices.begin(), devices.end(), [&](const Device& device) { return device.pci == pci; });
  return at == devices.end() ? to_text(pci) : to_text(*at);
}

/// Returns a text such as "400 MiB and engine time by NVML".
std::string booking_text(const PlacementEvidence::Booking& booking) {
  return fmt::format("{}{} by {}", to_text(booking.memory), booking.engine_used ? " and engine time" : "",
                     booking.source);
}

/// Returns the UUID in lower case, without dashes and without the prefix "GPU".
std::string normalised_uuid(std::string_view uuid) {
  std::string out;
  for (const char c : uuid) {
    if (c == '-') continue;
    out += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  return out.starts_with("gpu") ? out.substr(3) : out;
}

/// Returns true if the UUID is that of the device. Compares normalised forms, since CUDA, Vulkan, Level Zero
/// and NVML write a UUID in several ways: "GPU-4f3e...", without dashes, without the prefix.
bool has_uuid(const Device& device, std::string_view uuid) {
  const std::string normalised = normalised_uuid(uuid);
  return !normalised.empty() &&
         (normalised_uuid(device.uuid) == normalised || normalised_uuid(device.vulkan_uuid) == normalised);
}

/// Returns a refuted check. `used`: the device on which the command works, as text; `evidence`: what shows this.
PlacementCheck refuted_check(const Device& requested, const std::string& used, const std::string& evidence) {
  return {PlacementStatus::refuted, fmt::format("asked for {}, got {}: {}", to_text(requested), used, evidence)};
}

/// Returns why there is no evidence, for messages.
std::string describe_missing(const PlacementEvidence& evidence, const Device& requested) {
  std::string text = evidence.unknown_reason.empty() ? "no driver reports memory or engine time of the command"
                                                     : evidence.unknown_reason;
  if (requested.pci && std::find(evidence.opened_devices.begin(), evidence.opened_devices.end(), *requested.pci) !=
                           evidence.opened_devices.end())
    text += "; the command has the device open, which is only a hint";
  return text;
}

/// Adds what NVML reports about the processes `pids`; if it reports nothing, sets `evidence.unknown_reason`.
void add_nvml_evidence(std::span<const Device> devices, const std::vector<pid_t>& pids, const nvml::Library* library,
                       PlacementEvidence& evidence) {
  const bool has_nvidia_card =
      std::any_of(devices.begin(), devices.end(), [](const Device& d) { return d.vendor == Vendor::nvidia; });
  if (!has_nvidia_card) return;
  if (!sees_host_pids()) {
    evidence.unknown_reason = "NVML reports process ids of the host, which are not valid in this container";
    return;
  }
  // `devices` was read earlier, maybe before the processes used a card, so the cards are read again.
  const auto current_devices = library != nullptr
                                   ? library->devices()
                                   : Result<std::vector<Device>>{Error{Errc::unsupported, "NVML is not available"}};
  if (!current_devices) {
    evidence.unknown_reason = current_devices.error().what;
    return;
  }
  bool is_listed = false;  // NVML lists one of the processes
  for (const Device& device : *current_devices) {
    for (const GpuProcess& process : device.processes) {
      if (!device.pci || std::find(pids.begin(), pids.end(), process.pid) == pids.end()) continue;
      is_listed = true;
      // NVML under WSL2 lists compute processes without their memory. A listed process has a CUDA context, so it counts
      // as use: its memory is set to the smallest size that does.
      const Bytes memory = process.memory ? process.memory->value : kMinUseMemory;
      evidence.bookings.push_back({.pci = *device.pci,
                                   .memory = memory,
                                   .engine_used = false,
                                   .source = process.memory ? "NVML" : "NVML's list of processes"});
    }
  }
  if (!is_listed) evidence.unknown_reason = "NVML lists the command on no card";
}

}  // namespace

std::string_view name_of(PlacementStatus status) {
  return status == PlacementStatus::proved ? "proved" : status == PlacementStatus::refuted ? "refuted" : "unknown";
}

PlacementCheck check_placement(const Device& requested, std::span<const Device> devices,
                               const PlacementEvidence& evidence) {
  for (const PlacementEvidence::Booking& booking : evidence.bookings) {
    if (booking.pci != requested.pci && is_use(booking))
      return refuted_check(requested, name_at(devices, booking.pci),
                           booking_text(booking) +
                               "; the command ignored or overwrote its device mask, or the mask was set after the "
                               "first GPU call");
  }
  for (const std::string& uuid : evidence.reported_uuids) {
    if (!has_uuid(requested, uuid))
      return refuted_check(requested, "a device with UUID " + printable(uuid), "the process itself reported this UUID");
  }
  for (const PlacementEvidence::Booking& booking : evidence.bookings) {
    if (booking.pci == requested.pci && is_use(booking)) return {PlacementStatus::proved, booking_text(booking)};
  }
  if (!evidence.reported_uuids.empty())
    return {PlacementStatus::proved, "the process itself reported the UUID of this device"};
  return {PlacementStatus::unknown, describe_missing(evidence, requested)};
}

PlacementEvidence collect_evidence(std::span<const Device> devices, const std::vector<pid_t>& pids,
                                   const nvml::Library* library, const std::string& root) {
  PlacementEvidence evidence;
  add_nvml_evidence(devices, pids, library, evidence);
  for (const ProcessUsage& use : read_process_usage(root, pids)) {
    evidence.opened_devices.push_back(use.pci);
    evidence.bookings.push_back({use.pci, use.memory, use.engine_used, "fdinfo"});
  }
  return evidence;
}

}  // namespace weir::device
