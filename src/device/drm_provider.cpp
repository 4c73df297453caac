// The provider of the kernel's GPU drivers: reads /sys/class/drm, and the fdinfo of processes in /proc.

#include <algorithm>
#include <system_error>

#include <fmt/format.h>

#include "base/small_file.hpp"
#include "device/fdinfo.hpp"
#include "device/process_identity.hpp"
#include "device/provider.hpp"

namespace weir::device {
namespace {

namespace fs = std::filesystem;
using memory::Reading;

std::optional<Reading> reading_of(const fs::path& path, const char* source) {
  const auto value = read_number_file(path);
  if (!value) return std::nullopt;
  return Reading{.value = Bytes{*value}, .source = source};
}

/// Returns the rest of the line that starts with `key`; empty if there is no such line.
std::string line_of(const std::string& text, std::string_view key) {
  const std::size_t at = text.starts_with(key) ? 0 : text.find('\n' + std::string{key});
  if (at == std::string::npos) return {};
  const std::size_t from = at + key.size() + (at == 0 ? 0 : 1);  // 1: the line break that was found before the key
  return text.substr(from, text.find('\n', from) - from);
}

std::string first_line(const fs::path& path) {
  const std::string text = read_small_file(path);
  return text.substr(0, text.find('\n'));
}

/// Reads the files of the driver amdgpu, which every user may read. Source: Documentation/gpu/amdgpu/driver-misc.rst.
void read_amdgpu(const fs::path& folder, Device& device) {
  device.total = reading_of(folder / "mem_info_vram_total", "amdgpu sysfs");
  device.used = reading_of(folder / "mem_info_vram_used", "amdgpu sysfs");
  if (device.total && device.used) {
    device.free = device.total;
    device.free->value = device.total->value - device.used->value;
  }
  device.name = first_line(folder / "product_name");
  if (const std::string id = first_line(folder / "unique_id"); !id.empty()) device.uuid = "GPU-" + id;
}

/// Reads the files of Intel's driver xe: one folder per tile (part of the card) with the size of its memory.
void read_xe(const fs::path& folder, Device& device) {
  constexpr int kMaxTiles = 4;  // no card has more
  Bytes total;
  for (int tile = 0; tile < kMaxTiles; ++tile) {
    const auto size = read_number_file(folder / fmt::format("tile{}", tile) / "physical_vram_size_bytes");
    if (size) total += Bytes{*size};
  }
  if (total > Bytes{}) device.total = Reading{.value = total, .source = "xe sysfs"};
}

/// Intel's integrated GPU has this PCI address on every machine.
bool is_intel_igpu(const Device& device) {
  return device.vendor == Vendor::intel && device.pci == PciAddress{.domain = 0, .bus = 0, .device = 2, .function = 0};
}

std::optional<Device> read_card(const fs::path& card) {
  const fs::path folder = card / "device";
  const std::string uevent = read_small_file(folder / "uevent");
  Device device;
  device.pci = parse_pci_address(line_of(uevent, "PCI_SLOT_NAME="));
  if (!device.pci) return std::nullopt;  // not a PCI device, such as a virtual display
  device.drm_card = card.filename().native();
  device.driver = line_of(uevent, "DRIVER=");
  device.pci_vendor = static_cast<std::uint32_t>(read_number_file(folder / "vendor").value_or(0));
  device.pci_device = static_cast<std::uint32_t>(read_number_file(folder / "device").value_or(0));
  device.vendor = vendor_of(device.pci_vendor);
  if (device.vendor == Vendor::other) return std::nullopt;  // a server board's display controller or a virtual display
  if (device.driver == "amdgpu") read_amdgpu(folder, device);
  if (device.driver == "xe") read_xe(folder, device);
  if (is_intel_igpu(device)) device.kind = DeviceKind::integrated;
  return device;
}

/// Adds the processes that use the devices. The fdinfo of other users' processes is not readable, so the sum of the
/// processes' memory is a lower bound of the used memory.
void add_processes(const fs::path& root, std::vector<Device>& devices) {
  bool some_hidden = false;
  for (const ProcessUsage& use : read_process_usage(root, {}, &some_hidden)) {
    for (Device& device : devices) {
      if (device.pci != use.pci) continue;
      device.processes.push_back(
          {.pid = use.pid,
           .name = program_name(use.pid, root),
           .memory = Reading{.value = use.memory, .source = "fdinfo", .coverage = memory::Coverage::process},
           .engine_ns = use.engine_ns});
    }
  }
  for (Device& device : devices) {
    if (device.driver == "nvidia") continue;  // the proprietary driver writes nothing into fdinfo
    device.has_process_list = true;
    device.has_all_processes = !some_hidden;
    if (device.used) continue;
    Bytes sum;
    for (const GpuProcess& process : device.processes) sum += process.memory->value;
    device.used = Reading{.value = sum,
                          .source = "fdinfo of readable processes",
                          .coverage = memory::Coverage::lower_bound,
                          .privilege = memory::Privilege::lacking};
  }
}

/// The provider of make_drm_provider().
class DrmProvider : public Provider {
 public:
  explicit DrmProvider(fs::path root) : root_{std::move(root)} {}
  std::string_view name() const override { return "DRM"; }
  Result<std::vector<Device>> devices() override {
    const fs::path folder = root_ / "sys/class/drm";
    std::vector<Device> devices;
    std::error_code problem;
    for (fs::directory_iterator at{folder, problem}, end; !problem && at != end; at.increment(problem)) {
      const std::string name = at->path().filename().native();
      // A name such as card0-HDMI-A-1 is a display output.
      if (!name.starts_with("card") || name.find('-') != std::string::npos) continue;
      if (auto device = read_card(at->path())) devices.push_back(*std::move(device));
    }
    if (problem) return Error{Errc::unsupported, "no /sys/class/drm"};
    std::sort(devices.begin(), devices.end(), [](const Device& a, const Device& b) { return a.pci < b.pci; });
    add_processes(root_, devices);
    return devices;
  }

 private:
  fs::path root_;
};

}  // namespace

std::unique_ptr<Provider> make_drm_provider(fs::path root) { return std::make_unique<DrmProvider>(std::move(root)); }

}  // namespace weir::device
