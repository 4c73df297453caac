#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace weir::device {

/// Where a card is plugged in. The order is the PCI order, which is CUDA's with CUDA_DEVICE_ORDER=PCI_BUS_ID.
struct PciAddress {
  std::uint32_t domain = 0;
  std::uint8_t bus = 0, device = 0, function = 0;
  auto operator<=>(const PciAddress&) const = default;
};

/// "0000:01:00.0".
std::string to_text(const PciAddress& address);
/// "0000:01:00.0", "00000000:01:00.0" (NVML's), "01:00.0"; any case. Empty if it is none.
std::optional<PciAddress> parse_pci_address(std::string_view text);

}  // namespace weir::device
