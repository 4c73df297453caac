#include "device/inventory.hpp"

#include <algorithm>
#include <cstdint>

#include <fmt/format.h>
#include <poll.h>

#include "device/child_probe.hpp"
#include "device/device_json.hpp"

namespace weir::device {
namespace {

using memory::Reading;

/// Returns true if both entries are the same physical device.
bool is_same(const Device& a, const Device& b) {
  if (a.pci && b.pci) return a.pci == b.pci;
  return !a.uuid.empty() && a.uuid == b.uuid;
}

void replace_if_empty(std::string& value, const std::string& other) {
  if (value.empty()) value = other;
}

void replace_if_unknown(int& value, int other) {
  if (value < 0) value = other;
}

/// Returns the rank of a reading: 3 for the whole device, 2 for one process, 1 for a lower bound, 0 for none.
int rank(const std::optional<Reading>& reading) {
  if (!reading) return 0;
  return reading->coverage == memory::Coverage::device ? 3 : reading->coverage == memory::Coverage::process ? 2 : 1;
}

void replace_if_better(std::optional<Reading>& value, const std::optional<Reading>& other) {
  if (rank(other) > rank(value)) value = other;
}

/// Adds the processes that another source lists for the same device.
void add_processes(Device& device, const Device& other) {
  for (const GpuProcess& process : other.processes) {
    const auto listed = std::find_if(device.processes.begin(), device.processes.end(),
                                     [&](const GpuProcess& one) { return one.pid == process.pid; });
    if (listed == device.processes.end()) {
      device.processes.push_back(process);
      continue;
    }
    // Each source misses some memory, so the larger number is closer to the real one.
    const bool is_larger = process.memory && (!listed->memory || listed->memory->value < process.memory->value);
    if (is_larger) listed->memory = process.memory;
    if (!listed->engine_ns) listed->engine_ns = process.engine_ns;
    replace_if_empty(listed->name, process.name);
  }
  device.has_process_list = device.has_process_list || other.has_process_list;
  device.has_all_processes = device.has_all_processes || other.has_all_processes;
}

/// Adds the values of another source to the entry of the same device.
void merge_into(Device& device, const Device& other) {
  replace_if_empty(device.name, other.name);
  replace_if_empty(device.uuid, other.uuid);
  replace_if_empty(device.vulkan_uuid, other.vulkan_uuid);
  replace_if_empty(device.driver, other.driver);
  replace_if_empty(device.drm_card, other.drm_card);
  if (device.vendor == Vendor::other) device.vendor = other.vendor;
  if (device.kind == DeviceKind::unknown) device.kind = other.kind;
  if (!device.pci) device.pci = other.pci;
  if (device.pci_vendor == 0) device.pci_vendor = other.pci_vendor;
  if (device.pci_device == 0) device.pci_device = other.pci_device;
  replace_if_better(device.total, other.total);
  replace_if_better(device.free, other.free);
  replace_if_better(device.used, other.used);
  replace_if_unknown(device.stack_indices.cuda, other.stack_indices.cuda);
  replace_if_unknown(device.stack_indices.hip, other.stack_indices.hip);
  replace_if_unknown(device.stack_indices.ze, other.stack_indices.ze);
  replace_if_unknown(device.stack_indices.vulkan, other.stack_indices.vulkan);
  if (device.mig_instances.empty()) device.mig_instances = other.mig_instances;
  add_processes(device, other);
  device.sources.insert(device.sources.end(), other.sources.begin(), other.sources.end());
}

bool precedes(const Device& a, const Device& b) {
  if (a.pci && b.pci) return *a.pci < *b.pci;
  return a.pci.has_value() && !b.pci.has_value();
}

/// Sets the indices of CUDA and Level Zero, which use PCI order. `devices` are in PCI order.
void set_pci_indices(std::vector<Device>& devices) {
  int cuda = 0;
  int ze = 0;
  for (Device& device : devices) {
    if (device.vendor == Vendor::nvidia && device.kind != DeviceKind::software) device.stack_indices.cuda = cuda++;
    if (device.vendor == Vendor::intel && device.pci) device.stack_indices.ze = ze++;
  }
}

/// Waits until every child has answered, the deadline has passed, or a stop is requested.
void wait_for_all(std::vector<Result<ChildProbe>>& probes, std::chrono::steady_clock::time_point deadline,
                  const std::stop_token& stop) {
  constexpr std::int64_t kMaxPollMs = 50;  // longest delay until a stop is detected
  while (!stop.stop_requested()) {
    std::vector<pollfd> open;
    for (auto& probe : probes)
      if (probe && !probe->poll()) open.push_back({probe->descriptor(), POLLIN, 0});
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now()).count();
    if (open.empty() || left <= 0) return;
    ::poll(open.data(), open.size(), static_cast<int>(std::min<std::int64_t>(left, kMaxPollMs)));
  }
}

}  // namespace

std::vector<Device> merge_devices(const std::vector<std::vector<Device>>& lists) {
  std::vector<Device> merged;
  for (const auto& list : lists) {
    for (const Device& device : list) {
      const auto same_device =
          std::find_if(merged.begin(), merged.end(), [&](const Device& other) { return is_same(device, other); });
      if (same_device == merged.end())
        merged.push_back(device);
      else
        merge_into(*same_device, device);
    }
  }
  std::stable_sort(merged.begin(), merged.end(), precedes);
  for (Device& device : merged) {
    if (device.name.empty())
      device.name = fmt::format("{} {:04x}:{:04x}", name_of(device.vendor), device.pci_vendor, device.pci_device);
    const bool has_whole_use = device.used && device.used->coverage == memory::Coverage::device;
    if (device.total && has_whole_use && !device.free) {
      device.free = device.used;
      device.free->value = device.total->value - device.used->value;
    }
  }
  set_pci_indices(merged);
  return merged;
}

std::string describe_hung_probes(const Inventory& inventory) {
  std::string text;
  for (const ProbeReport& probe : inventory.probes)
    if (probe.hung)
      text += fmt::format("{}{} does not answer ({} s): its cards are not known", text.empty() ? "" : "; ", probe.name,
                          std::chrono::round<std::chrono::seconds>(probe.duration).count());
  return text;
}

Inventory take_inventory(const Providers& providers, std::chrono::milliseconds time_limit,
                         const std::stop_token& stop) {
  // Mask variables (mask.hpp) in the environment of this process would hide or reorder devices.
  const EnvironmentChanges unmasked{{"ZE_AFFINITY_MASK", ""},
                                    {"ZE_FLAT_DEVICE_HIERARCHY", "COMPOSITE"},
                                    {"ZE_ENABLE_PCI_ID_DEVICE_ORDER", "1"},
                                    {"MESA_VK_DEVICE_SELECT", ""},
                                    {"DRI_PRIME", ""}};
  const auto start = std::chrono::steady_clock::now();
  std::vector<Result<ChildProbe>> probes;  // all in parallel, so that several hanging probes take only one time limit
  probes.reserve(providers.size());
  for (const auto& provider : providers) {
    probes.push_back(ChildProbe::start(
        [&]() -> std::string {
          const auto devices = provider->devices();
          return devices ? devices_to_text(*devices) : '!' + devices.error().what;  // '!' marks an error message
        },
        unmasked));
  }
  wait_for_all(probes, start + time_limit, stop);
  Inventory inventory;
  inventory.interrupted = stop.stop_requested();
  if (inventory.interrupted) return inventory;
  std::vector<std::vector<Device>> lists;
  for (std::size_t i = 0; i < providers.size(); ++i) {
    const auto text = probes[i] ? probes[i]->wait(time_limit) : Result<std::string>{probes[i].error()};
    ProbeReport report{.name = std::string{providers[i]->name()}};
    if (probes[i]) report.duration = probes[i]->duration();
    if (!text) {
      report.problem = text.error().what;
      report.hung = text.error().code == Errc::timed_out;
    } else if (text->starts_with('!')) {
      report.problem = text->substr(1);
    } else if (auto devices = devices_from_text(*text)) {
      report.answered = true;
      report.devices = devices->size();
      for (Device& device : *devices) device.sources = {report.name};
      lists.push_back(*std::move(devices));
    } else {
      report.problem = "its answer is not a list of devices";
    }
    inventory.probes.push_back(std::move(report));
  }
  inventory.devices = merge_devices(lists);
  return inventory;
}

Providers make_providers() {
  Providers providers;
  providers.push_back(make_nvml_provider());
  providers.push_back(make_drm_provider());
  providers.push_back(make_kfd_provider());
  providers.push_back(make_level_zero_provider());
  providers.push_back(make_vulkan_provider());
  return providers;
}

}  // namespace weir::device
