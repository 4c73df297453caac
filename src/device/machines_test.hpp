#pragma once

// Invented machines for tests of decisions, and file trees in the kernel's format.

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "device/device.hpp"

namespace weir::device::test {

inline memory::Reading on_device(Bytes bytes, const char* source = "NVML") {
  return {.value = bytes, .source = source};
}

/// An invented card, for make_device().
struct Card {
  const char* name;
  Vendor vendor;
  std::uint8_t bus;
  Bytes total, free;
  DeviceKind kind = DeviceKind::discrete;
};

inline Device make_device(const Card& card) {
  Device device;
  device.name = card.name;
  device.vendor = card.vendor;
  device.kind = card.kind;
  // On bus 0 the card is Intel's integrated GPU, which is always device 2.
  device.pci = PciAddress{0, card.bus, static_cast<std::uint8_t>(card.bus == 0 ? 2 : 0), 0};
  device.pci_vendor = card.vendor == Vendor::nvidia ? 0x10DE : card.vendor == Vendor::amd ? 0x1002 : 0x8086;
  // The same number for cards of the same name, and another one for most other names.
  device.pci_device = 0x1000U + static_cast<std::uint32_t>(std::string_view{card.name}.size());
  if (card.vendor != Vendor::intel) device.uuid = std::string{"GPU-0000000000000"} + std::to_string(100 + card.bus);
  device.total = on_device(card.total);
  device.free = on_device(card.free);
  return device;
}

inline const Card kRtx3090{"NVIDIA GeForce RTX 3090", Vendor::nvidia, 1, 24_GiB, 23_GiB};
inline const Card kRtx5060{"NVIDIA GeForce RTX 5060 Ti", Vendor::nvidia, 2, 16_GiB, 15_GiB};

/// Returns a machine with two NVIDIA cards, in either PCI order.
inline std::vector<Device> two_nvidia(bool big_first) {
  Card big = kRtx3090;
  Card small = kRtx5060;
  big.bus = big_first ? 1 : 2;
  small.bus = big_first ? 2 : 1;
  std::vector<Device> machine;
  if (big_first)
    machine = {make_device(big), make_device(small)};
  else
    machine = {make_device(small), make_device(big)};
  machine[0].stack_indices.cuda = 0;
  machine[1].stack_indices.cuda = 1;
  return machine;
}

/// Returns a machine with two Intel cards of the same model.
inline std::vector<Device> two_arc() {
  std::vector<Device> machine{make_device({"Intel(R) Arc(tm) A770 Graphics", Vendor::intel, 3, 16_GiB, 15_GiB}),
                              make_device({"Intel(R) Arc(tm) A770 Graphics", Vendor::intel, 7, 16_GiB, 16_GiB})};
  machine[0].stack_indices.ze = 0;
  machine[1].stack_indices.ze = 1;
  return machine;
}

/// Returns a machine with Intel's integrated GPU and an AMD card.
inline std::vector<Device> amd_and_igpu() {
  std::vector<Device> machine{
      make_device({"Intel(R) UHD Graphics 770", Vendor::intel, 0, 30_GiB, 29_GiB, DeviceKind::integrated}),
      make_device({"AMD Radeon RX 7900 XTX", Vendor::amd, 3, 24_GiB, 20_GiB})};
  machine[0].stack_indices.ze = 0;
  machine[1].stack_indices.hip = 0;
  return machine;
}

/// Writes a file of a tree and creates its folders.
inline void put(const std::filesystem::path& root, const std::string& name, const std::string& text) {
  const std::filesystem::path path = root / name;
  std::filesystem::create_directories(path.parent_path());
  std::ofstream{path} << text;
}

/// Writes the /proc files of a process that has one DRM device open.
inline void put_process(const std::filesystem::path& root, int pid, int descriptor, const std::string& fdinfo) {
  const std::string folder = "proc/" + std::to_string(pid);
  put(root, folder + "/cmdline", std::string{"game\0--fast\0", 12});  // 12 bytes: each argument ends with a null byte
  put(root, folder + "/fdinfo/" + std::to_string(descriptor), fdinfo);
  std::filesystem::create_directories(root / folder / "fd");
  std::filesystem::create_symlink("/dev/dri/renderD128", root / folder / "fd" / std::to_string(descriptor));
}

}  // namespace weir::device::test
