// The provider of Intel's Level Zero: calls its loader library.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include <fmt/format.h>

#include "base/shared_library.hpp"
#include "device/provider.hpp"

namespace weir::device {
namespace {

// The part of Level Zero's C interface that weir uses. Source: the specification, version 1.4
// (https://oneapi-src.github.io/level-zero-spec/), core and PCI extension. Memory is not read from it: without
// permission zesMemoryGetState reports all memory as free (oneapi-src/level-zero#133), while the kernel's fdinfo is
// correct.
namespace ze {

constexpr int kGpuOnly = 1;              // ZE_INIT_FLAG_GPU_ONLY
constexpr int kGpu = 1;                  // ZE_DEVICE_TYPE_GPU
constexpr unsigned kIntegrated = 1;      // ZE_DEVICE_PROPERTY_FLAG_INTEGRATED
constexpr int kDeviceProperties = 0x3;   // ZE_STRUCTURE_TYPE_DEVICE_PROPERTIES
constexpr int kPciProperties = 0x10008;  // ZE_STRUCTURE_TYPE_PCI_EXT_PROPERTIES

struct DeviceProperties {  // ze_device_properties_t
  int type_of_structure;
  void* next;
  int type;
  std::uint32_t vendor, device, flags, subdevice, core_clock;
  std::uint64_t max_allocation;
  std::uint32_t contexts, priority, threads, simd, units, subslices, slices;
  std::uint64_t timer;
  std::uint32_t timestamp_bits, kernel_timestamp_bits;
  std::uint8_t uuid[16];
  char name[256];
};

struct PciProperties {  // ze_pci_ext_properties_t
  int type_of_structure;
  void* next;
  std::uint32_t domain, bus, device, function;
  std::int32_t generation, width;
  std::int64_t bandwidth;
};

struct Functions {
  int (*init)(unsigned flags);
  int (*drivers)(std::uint32_t* count, void** drivers);
  int (*devices)(void* driver, std::uint32_t* count, void** devices);
  int (*properties)(void* device, DeviceProperties*);
  int (*pci)(void* device, PciProperties*);
};

}  // namespace ze

/// Returns the handles that a function of Level Zero lists: a first call returns their number, a second one the
/// handles.
template <class Function>
std::vector<void*> list(const Function& get_handles) {
  std::uint32_t count = 0;
  if (get_handles(&count, nullptr) != 0) return {};
  constexpr std::uint32_t kMaxHandles = 1024;  // a faulty driver must not make this process allocate without limit
  std::vector<void*> handles(std::min(count, kMaxHandles));
  count = static_cast<std::uint32_t>(handles.size());
  if (get_handles(&count, handles.data()) != 0) return {};
  handles.resize(std::min<std::size_t>(count, handles.size()));
  return handles;
}

std::optional<Device> describe(const ze::Functions& functions, void* handle) {
  ze::DeviceProperties properties{};
  properties.type_of_structure = ze::kDeviceProperties;
  if (functions.properties(handle, &properties) != 0 || properties.type != ze::kGpu) return std::nullopt;
  Device device;
  properties.name[sizeof properties.name - 1] = '\0';
  device.name = properties.name;
  device.pci_vendor = properties.vendor;
  device.pci_device = properties.device;
  device.vendor = vendor_of(properties.vendor);
  device.kind = (properties.flags & ze::kIntegrated) != 0 ? DeviceKind::integrated : DeviceKind::discrete;
  for (const std::uint8_t byte : properties.uuid) device.uuid += fmt::format("{:02x}", byte);
  ze::PciProperties pci{};
  pci.type_of_structure = ze::kPciProperties;
  if (functions.pci != nullptr && functions.pci(handle, &pci) == 0)
    device.pci = PciAddress{pci.domain, static_cast<std::uint8_t>(pci.bus), static_cast<std::uint8_t>(pci.device),
                            static_cast<std::uint8_t>(pci.function)};
  return device;
}

/// The provider of make_level_zero_provider().
class LevelZeroProvider : public Provider {
 public:
  std::string_view name() const override { return "Level Zero"; }
  Result<std::vector<Device>> devices() override {
    const auto library = SharedLibrary::open("libze_loader.so.1");
    if (!library) return library.error();
    ze::Functions functions{};
    library->find("zeDevicePciGetPropertiesExt", functions.pci);  // newer than the other functions
    if (!library->find("zeInit", functions.init) || !library->find("zeDriverGet", functions.drivers) ||
        !library->find("zeDeviceGet", functions.devices) ||
        !library->find("zeDeviceGetProperties", functions.properties))
      return Error{Errc::unsupported, "Level Zero: the loader is damaged"};
    if (const int problem = functions.init(ze::kGpuOnly); problem != 0)
      return Error{Errc::unsupported,
                   fmt::format("Level Zero: no driver (zeInit says {:#x})", static_cast<unsigned>(problem))};
    std::vector<Device> devices;
    for (void* driver : list(functions.drivers)) {
      const auto of_driver = [&](std::uint32_t* count, void** out) { return functions.devices(driver, count, out); };
      for (void* handle : list(of_driver)) {
        if (auto device = describe(functions, handle)) devices.push_back(*std::move(device));
      }
    }
    return devices;
  }
};

}  // namespace

std::unique_ptr<Provider> make_level_zero_provider() { return std::make_unique<LevelZeroProvider>(); }

}  // namespace weir::device
