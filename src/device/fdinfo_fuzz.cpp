// Parses arbitrary bytes as the texts that come from drivers, other processes and users: fdinfo, device lists,
// addresses, patterns.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "device/device_json.hpp"
#include "device/fdinfo.hpp"
#include "device/policy.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  if (const auto info = weir::device::parse_fdinfo(text)) (void)weir::device::device_memory(*info);
  (void)weir::device::parse_pci_address(text);
  if (const auto devices = weir::device::devices_from_text(text)) {
    (void)weir::device::devices_to_text(*devices);
    (void)weir::device::choose_devices(*devices, {}, {});
  }
  if (size < 100) {
    weir::device::Device device;
    device.name = "NVIDIA GeForce RTX 3090";
    for (const auto& pattern : weir::device::split_list(text)) (void)weir::device::matches(device, pattern);
  }
  return 0;
}
