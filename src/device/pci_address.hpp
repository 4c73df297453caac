#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace weir::device {

/// The PCI address of a card. Comparison follows the PCI order, which is CUDA's order with
/// CUDA_DEVICE_ORDER=PCI_BUS_ID.
struct PciAddress {
  std::uint32_t domain = 0;
  std::uint8_t bus = 0, device = 0, function = 0;
  auto operator<=>(const PciAddress&) const = default;
};

/// Returns a text such as "0000:01:00.0".
std::string to_text(const PciAddress& address);
/// Parses "0000:01:00.0", "00000000:01:00.0" (NVML's form) or "01:00.0" in any case. Returns nothing for other texts.
std::optional<PciAddress> parse_pci_address(std::string_view text);

}  // namespace weir::device
