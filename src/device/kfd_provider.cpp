// The provider of AMD's compute driver KFD: reads /sys/class/kfd.

#include <algorithm>
#include <charconv>
#include <map>
#include <system_error>

#include <fmt/format.h>

#include "base/small_file.hpp"
#include "device/process_identity.hpp"
#include "device/provider.hpp"

namespace weir::device {
namespace {

namespace fs = std::filesystem;

/// Parses "key value" lines. Source: drivers/gpu/drm/amd/amdkfd/kfd_topology.c.
std::map<std::string, std::uint64_t, std::less<>> parse_properties(std::string_view text) {
  std::map<std::string, std::uint64_t, std::less<>> values;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    const std::size_t space = line.find(' ');
    if (space == std::string_view::npos) continue;
    std::uint64_t value = 0;
    const std::string_view number = line.substr(space + 1);
    if (std::from_chars(number.data(), number.data() + number.size(), value).ec == std::errc{})
      values.emplace(line.substr(0, space), value);
  }
  return values;
}

/// Returns the PCI address. `location` (location_id) contains bus, device and function in the packed form of PCI: 8, 5
/// and 3 bits.
PciAddress address_of(std::uint64_t domain, std::uint64_t location) {
  return {static_cast<std::uint32_t>(domain), static_cast<std::uint8_t>(location >> 8U & 0xFFU),
          static_cast<std::uint8_t>(location >> 3U & 0x1FU), static_cast<std::uint8_t>(location & 7U)};
}

/// The provider of make_kfd_provider(). KFD lists CPUs and GPUs as the nodes of a topology.
class KfdProvider : public Provider {
 public:
  explicit KfdProvider(fs::path root) : root_{std::move(root)} {}
  std::string_view name() const override { return "KFD"; }

  Result<std::vector<Device>> devices() override {
    const fs::path nodes = root_ / "sys/class/kfd/kfd/topology/nodes";
    std::error_code problem;
    if (!fs::is_directory(nodes, problem)) return Error{Errc::unsupported, "no /sys/class/kfd"};
    std::vector<Device> devices;
    constexpr int kMaxNodes = 1024;  // only limits the loop; no machine has so many
    for (int node = 0; fs::is_directory(nodes / std::to_string(node), problem) && node < kMaxNodes; ++node) {
      const fs::path folder = nodes / std::to_string(node);
      const std::uint64_t gpu_id = read_number_file(folder / "gpu_id").value_or(0);
      if (gpu_id == 0) continue;  // a node without a GPU: CPUs only
      devices.push_back(describe(folder, gpu_id));
      devices.back().stack_indices.hip = static_cast<int>(devices.size()) - 1;
    }
    return devices;
  }

 private:
  Device describe(const fs::path& folder, std::uint64_t gpu_id) const {
    const auto properties = parse_properties(read_small_file(folder / "properties"));
    const auto value = [&](std::string_view key) {
      const auto at = properties.find(key);
      return at == properties.end() ? 0 : at->second;
    };
    Device device;
    device.vendor = Vendor::amd;
    device.pci = address_of(value("domain"), value("location_id"));
    device.pci_vendor = static_cast<std::uint32_t>(value("vendor_id"));
    device.pci_device = static_cast<std::uint32_t>(value("device_id"));
    if (value("unique_id") != 0) device.uuid = fmt::format("GPU-{:016x}", value("unique_id"));
    device.kind = value("cpu_cores_count") > 0 ? DeviceKind::integrated : DeviceKind::discrete;
    device.processes = processes_on(gpu_id);
    return device;
  }

  /// Returns the processes that have memory on this GPU. The kernel writes it to kfd/proc/PID/vram_GPUID.
  std::vector<GpuProcess> processes_on(std::uint64_t gpu_id) const {
    std::vector<GpuProcess> found;
    std::error_code problem;
    for (fs::directory_iterator at{root_ / "sys/class/kfd/kfd/proc", problem}, end; !problem && at != end;
         at.increment(problem)) {
      const auto pid = static_cast<pid_t>(std::strtol(at->path().filename().c_str(), nullptr, 10));
      const fs::path file = at->path() / fmt::format("vram_{}", gpu_id);
      std::error_code missing;
      if (pid <= 0 || !fs::exists(file, missing)) continue;
      found.push_back({.pid = pid,
                       .name = program_name(pid, root_),
                       .memory = memory::Reading{.value = Bytes{read_number_file(file).value_or(0)},
                                                 .source = "KFD sysfs",
                                                 .coverage = memory::Coverage::process},
                       .engine_ns = std::nullopt});
    }
    std::sort(found.begin(), found.end(), [](const GpuProcess& a, const GpuProcess& b) { return a.pid < b.pid; });
    return found;
  }

  fs::path root_;
};

}  // namespace

std::unique_ptr<Provider> make_kfd_provider(fs::path root) { return std::make_unique<KfdProvider>(std::move(root)); }

}  // namespace weir::device
