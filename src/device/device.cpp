#include "device/device.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.hpp"

namespace weir::device {

std::string parent_lease_key(const Device& device) {
  return device.pci && device.uuid.starts_with("MIG-") ? "pci-" + to_text(*device.pci) : std::string{};
}

std::string lease_key(const Device& device) {
  if (device.pci && parent_lease_key(device).empty()) return "pci-" + to_text(*device.pci);
  std::string key = !device.uuid.empty() ? device.uuid : fmt::format("{}-{}", device.name, device.stack_indices.vulkan);
  std::replace_if(
      key.begin(), key.end(),
      [](unsigned char c) {
        return !(c >= '0' && c <= '9') && !(c >= 'A' && c <= 'Z') && !(c >= 'a' && c <= 'z') && c != '-';
      },
      '_');
  return "id-" + key.substr(0, 100);
}

std::string to_text(const Device& device) {
  const std::string name = device.name.empty() ? "a device without a name" : printable(device.name);
  if (device.pci) return fmt::format("{} at {}", name, to_text(*device.pci));
  return device.uuid.empty() ? name : fmt::format("{} ({})", name, printable(device.uuid));
}

std::string_view name_of(Vendor vendor) {
  switch (vendor) {
    case Vendor::nvidia:
      return "nvidia";
    case Vendor::amd:
      return "amd";
    case Vendor::intel:
      return "intel";
    case Vendor::other:
      break;
  }
  return "other";
}

std::string_view name_of(DeviceKind kind) {
  switch (kind) {
    case DeviceKind::discrete:
      return "discrete";
    case DeviceKind::integrated:
      return "integrated";
    case DeviceKind::software:
      return "software";
    case DeviceKind::unknown:
      break;
  }
  return "unknown";
}

Vendor vendor_of(std::uint32_t pci_vendor) {
  switch (pci_vendor) {  // https://pci-ids.ucw.cz
    case 0x10DE:
      return Vendor::nvidia;
    case 0x1002:
      return Vendor::amd;
    case 0x8086:
      return Vendor::intel;
    default:
      return Vendor::other;
  }
}

}  // namespace weir::device
