#include "device/proof.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.hpp"
#include "device/fdinfo.hpp"
#include "device/nvml.hpp"
#include "device/process_identity.hpp"

namespace weir::device {
namespace {

// A driver that lists its devices allocates page tables and a fence or two on each; a CUDA context takes 100 MiB and more.
constexpr Bytes kListing = 16_MiB;

bool is_use(const Evidence::Booking& booking) { return booking.worked || booking.memory >= kListing; }

std::string name_at(std::span<const Device> devices, const PciAddress& pci) {
  const auto at = std::find_if(devices.begin(), devices.end(), [&](const Device& device) { return device.pci == pci; });
  return at == devices.end() ? to_text(pci) : to_text(*at);
}

std::string to_words(const Evidence::Booking& booking) {
  return fmt::format("{}{} by {}", to_text(booking.memory), booking.worked ? " and engine time" : "", booking.source);
}

std::string plain(std::string_view uuid) {
  std::string out;
  for (const char c : uuid) {
    if (c == '-') continue;
    out += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  return out.starts_with("gpu") ? out.substr(3) : out;
}

/// Stacks write one UUID in several ways: "GPU-4f3e...", the same without dashes, without the word.
bool same_uuid(const Device& device, std::string_view uuid) {
  const std::string wanted = plain(uuid);
  return !wanted.empty() && (plain(device.uuid) == wanted || plain(device.vulkan_uuid) == wanted);
}

Proof refuted(const Device& asked, const std::string& got, const std::string& why) {
  return {Outcome::refuted, fmt::format("asked for {}, got {}: {}", to_text(asked), got, why)};
}

std::string missing(const Evidence& evidence, const Device& asked) {
  std::string text = evidence.blind.empty() ? "no driver books memory or engine time for it" : evidence.blind;
  if (asked.pci && std::find(evidence.opened.begin(), evidence.opened.end(), *asked.pci) != evidence.opened.end())
    text += "; it has the device open, which is a hint only";
  return text;
}

void add_nvml(std::span<const Device> devices, const std::vector<pid_t>& pids, const nvml::Library* library,
              Evidence& evidence) {
  const bool any =
      std::any_of(devices.begin(), devices.end(), [](const Device& d) { return d.vendor == Vendor::nvidia; });
  if (!any) return;
  if (!sees_machine_pids()) {
    evidence.blind = "NVML counts processes in the machine's numbers, which mean nothing in this container";
    return;
  }
  const auto now = library != nullptr ? library->devices()
                                      : Result<std::vector<Device>>{Error{Errc::unsupported, "NVML is not there"}};
  if (!now) {
    evidence.blind = now.error().what;
    return;
  }
  bool any_known = false;
  for (const Device& device : *now) {
    for (const GpuProcess& process : device.processes) {
      if (!device.pci || std::find(pids.begin(), pids.end(), process.pid) == pids.end()) continue;
      any_known = true;
      // WSL2 lists processes without saying their memory: being listed as a compute process means having a context.
      const Bytes memory = process.memory ? process.memory->value : kListing;
      evidence.bookings.push_back({*device.pci, memory, false, process.memory ? "NVML" : "NVML's list of processes"});
    }
  }
  if (!any_known) evidence.blind = "NVML lists the process on no card";
}

}  // namespace

std::string_view name_of(Outcome outcome) {
  return outcome == Outcome::proved ? "proved" : outcome == Outcome::refuted ? "refuted" : "unknown";
}

Proof judge(const Device& asked, std::span<const Device> devices, const Evidence& evidence) {
  for (const Evidence::Booking& booking : evidence.bookings) {
    if (booking.pci != asked.pci && is_use(booking))
      return refuted(asked, name_at(devices, booking.pci),
                     to_words(booking) + "; its mask was ignored, overwritten, or set after the first GPU call");
  }
  for (const std::string& uuid : evidence.uuids_inside) {
    if (!same_uuid(asked, uuid))
      return refuted(asked, "a device with UUID " + printable(uuid), "the process says so itself");
  }
  for (const Evidence::Booking& booking : evidence.bookings) {
    if (booking.pci == asked.pci && is_use(booking)) return {Outcome::proved, to_words(booking)};
  }
  if (!evidence.uuids_inside.empty()) return {Outcome::proved, "the UUID asked from inside"};
  return {Outcome::unknown, missing(evidence, asked)};
}

Evidence gather_evidence(std::span<const Device> devices, const std::vector<pid_t>& pids, const nvml::Library* library,
                         const std::string& root) {
  Evidence evidence;
  add_nvml(devices, pids, library, evidence);
  for (const ProcessUse& use : read_process_use(root, pids)) {
    evidence.opened.push_back(use.pci);
    evidence.bookings.push_back({use.pci, use.memory, use.worked, "fdinfo"});
  }
  return evidence;
}

}  // namespace weir::device
