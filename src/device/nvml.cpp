#include "device/nvml.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "base/text.hpp"

namespace weir::device::nvml {
namespace {

using memory::Reading;

/// Sets `function` to the first of these functions that the library has; returns false if it has none.
template <class Function>
bool find_any(const SharedLibrary& library, Function*& function, std::initializer_list<const char*> names) {
  return std::any_of(names.begin(), names.end(), [&](const char* name) { return library.find(name, function); });
}

Result<Functions> load_functions(const SharedLibrary& library) {
  Functions functions{};
  const bool has_required = library.find("nvmlInit_v2", functions.nvmlInit_v2) &&
                            library.find("nvmlShutdown", functions.nvmlShutdown) &&
                            library.find("nvmlErrorString", functions.nvmlErrorString) &&
                            library.find("nvmlSystemGetDriverVersion", functions.nvmlSystemGetDriverVersion) &&
                            library.find("nvmlDeviceGetCount_v2", functions.nvmlDeviceGetCount_v2) &&
                            library.find("nvmlDeviceGetHandleByIndex_v2", functions.nvmlDeviceGetHandleByIndex_v2) &&
                            library.find("nvmlDeviceGetName", functions.nvmlDeviceGetName) &&
                            library.find("nvmlDeviceGetUUID", functions.nvmlDeviceGetUUID) &&
                            library.find("nvmlDeviceGetPciInfo_v3", functions.nvmlDeviceGetPciInfo_v3) &&
                            library.find("nvmlDeviceGetMemoryInfo", functions.nvmlDeviceGetMemoryInfo);
  if (!has_required)
    return Error{Errc::unsupported, "NVML: libnvidia-ml.so.1 is older than this program needs (CUDA 10)"};
  library.find("nvmlDeviceGetMemoryInfo_v2", functions.nvmlDeviceGetMemoryInfo_v2);
  // _v2 and _v3 fill the same structure ProcessInfo; the function without a version fills another one.
  find_any(library, functions.nvmlDeviceGetComputeRunningProcesses_v3,
           {"nvmlDeviceGetComputeRunningProcesses_v3", "nvmlDeviceGetComputeRunningProcesses_v2"});
  find_any(library, functions.nvmlDeviceGetGraphicsRunningProcesses_v3,
           {"nvmlDeviceGetGraphicsRunningProcesses_v3", "nvmlDeviceGetGraphicsRunningProcesses_v2"});
  library.find("nvmlDeviceGetMigMode", functions.nvmlDeviceGetMigMode);
  library.find("nvmlDeviceGetMaxMigDeviceCount", functions.nvmlDeviceGetMaxMigDeviceCount);
  library.find("nvmlDeviceGetMigDeviceHandleByIndex", functions.nvmlDeviceGetMigDeviceHandleByIndex);
  return functions;
}

/// Calls an NVML function that writes a text, and returns the text; empty after an error. `before`: the function's
/// arguments before the buffer and its size.
template <class Function, class... Before>
std::string text_of(Function function, Before... before) {
  std::array<char, 128> text{};
  return function(before..., text.data(), static_cast<unsigned>(text.size())) == kSuccess ? std::string{text.data()}
                                                                                          : std::string{};
}

/// Returns a reading; empty if NVML reports the value as not available.
std::optional<Reading> reading(unsigned long long bytes, const char* source, memory::Coverage coverage) {
  if (bytes == kNotAvailable) return std::nullopt;
  return Reading{.value = Bytes{bytes}, .source = source, .coverage = coverage};
}

PciAddress address_of(const PciInfo& info) {
  return {info.domain, static_cast<std::uint8_t>(info.bus), static_cast<std::uint8_t>(info.device), 0};
}

/// Returns the processes that the NVML function lists. NVML fills the array up to its size and returns the full number
/// of processes; the call is repeated with a larger array, since the list may grow between the calls.
Result<std::vector<ProcessInfo>> list_processes(Return (*get_processes)(nvml::Device, unsigned*, ProcessInfo*),
                                                nvml::Device device) {
  constexpr int kMaxTries = 4;
  constexpr std::size_t kFirstSize = 64;
  constexpr std::size_t kMaxSize = 65536;
  constexpr unsigned kSpare = 64;  // room for processes that start between two calls
  std::vector<ProcessInfo> list(kFirstSize);
  for (int tries = 0; get_processes != nullptr && tries < kMaxTries; ++tries) {
    auto count = static_cast<unsigned>(list.size());
    const Return answer = get_processes(device, &count, list.data());
    if (answer == kInsufficientSize) {
      list.resize(std::min<std::size_t>(count + kSpare, kMaxSize));
      continue;
    }
    if (answer != kSuccess) break;
    list.resize(std::min<std::size_t>(count, list.size()));
    return list;
  }
  return Error{Errc::unsupported, "NVML does not list processes here"};
}

}  // namespace

Result<Library> Library::open() {
  auto library = SharedLibrary::open("libnvidia-ml.so.1");
  if (!library) return library.error();
  const auto functions = load_functions(*library);
  if (!functions) return functions.error();
  const Return started = functions->nvmlInit_v2();
  if (started != kSuccess)
    return Error{Errc::unsupported, fmt::format("NVML: {}", one_line(functions->nvmlErrorString(started)))};
  return Library{*library, *functions};
}

Library::Library(Library&& other) noexcept
    : library_{other.library_}, functions_{other.functions_}, started_{std::exchange(other.started_, false)} {}

Library::~Library() {
  if (started_) functions_.nvmlShutdown();
}

Library::Memory Library::read_memory(nvml::Device device) const {
  constexpr auto kCoverage = memory::Coverage::device;
  MemoryV2 v2{};
  v2.version = kMemoryV2;
  if (functions_.nvmlDeviceGetMemoryInfo_v2 != nullptr &&
      functions_.nvmlDeviceGetMemoryInfo_v2(device, &v2) == kSuccess) {
    // Releases differ in whether v2's `used` includes the driver's reserved memory, so it is computed from the other
    // values.
    Memory memory{reading(v2.total, "NVML", kCoverage), reading(v2.free, "NVML", kCoverage), std::nullopt};
    if (memory.total && memory.free && v2.reserved != kNotAvailable)
      memory.used = Reading{.value = memory.total->value - memory.free->value - Bytes{v2.reserved}, .source = "NVML"};
    return memory;
  }
  MemoryV1 v1{};
  if (functions_.nvmlDeviceGetMemoryInfo(device, &v1) != kSuccess) return {};
  return {reading(v1.total, "NVML v1", kCoverage), reading(v1.free, "NVML v1", kCoverage),
          reading(v1.used, "NVML v1, with what the driver reserves", kCoverage)};
}

std::vector<GpuProcess> Library::read_processes(nvml::Device device, bool& can_list) const {
  std::vector<GpuProcess> found;
  can_list = false;
  for (const auto get_processes :
       {functions_.nvmlDeviceGetComputeRunningProcesses_v3, functions_.nvmlDeviceGetGraphicsRunningProcesses_v3}) {
    const auto list = list_processes(get_processes, device);
    if (!list) continue;
    can_list = true;
    for (const ProcessInfo& info : *list) {
      const auto pid = static_cast<pid_t>(info.pid);
      if (std::any_of(found.begin(), found.end(), [&](const GpuProcess& other) { return other.pid == pid; })) continue;
      found.push_back({.pid = pid,
                       .name = {},
                       .memory = reading(info.used_memory, "NVML", memory::Coverage::process),
                       .engine_ns = std::nullopt});
    }
  }
  return found;
}

std::vector<MigInstance> Library::read_mig(nvml::Device device) const {
  constexpr unsigned kMaxMigInstances = 64;  // far more than a card has; limits the loop after a wrong answer
  std::vector<MigInstance> instances;
  unsigned current = 0;
  unsigned pending = 0;
  unsigned max_instances = 0;
  if (functions_.nvmlDeviceGetMigMode == nullptr || functions_.nvmlDeviceGetMaxMigDeviceCount == nullptr ||
      functions_.nvmlDeviceGetMigDeviceHandleByIndex == nullptr ||
      functions_.nvmlDeviceGetMigMode(device, &current, &pending) != kSuccess || current == 0 ||
      functions_.nvmlDeviceGetMaxMigDeviceCount(device, &max_instances) != kSuccess)
    return instances;
  for (unsigned i = 0; i < std::min(max_instances, kMaxMigInstances); ++i) {
    nvml::Device instance = nullptr;
    if (functions_.nvmlDeviceGetMigDeviceHandleByIndex(device, i, &instance) != kSuccess) continue;
    const Memory memory = read_memory(instance);
    instances.push_back({text_of(functions_.nvmlDeviceGetUUID, instance),
                         text_of(functions_.nvmlDeviceGetName, instance), memory.total, memory.free});
  }
  return instances;
}

weir::device::Device Library::describe(nvml::Device handle) const {
  weir::device::Device device;
  device.vendor = Vendor::nvidia;
  device.kind = DeviceKind::discrete;
  device.name = text_of(functions_.nvmlDeviceGetName, handle);
  device.uuid = text_of(functions_.nvmlDeviceGetUUID, handle);
  device.driver = "nvidia " + text_of(functions_.nvmlSystemGetDriverVersion);
  PciInfo pci{};
  if (functions_.nvmlDeviceGetPciInfo_v3(handle, &pci) == kSuccess) {
    device.pci = address_of(pci);
    device.pci_vendor = pci.device_id & 0xFFFFU;  // the device id is in the upper half
    device.pci_device = pci.device_id >> 16U;
  }
  const Memory memory = read_memory(handle);
  device.total = memory.total;
  device.free = memory.free;
  device.used = memory.used;
  device.processes = read_processes(handle, device.has_process_list);
  device.has_all_processes = device.has_process_list;
  device.mig_instances = read_mig(handle);
  return device;
}

Result<std::vector<weir::device::Device>> Library::devices() const {
  unsigned count = 0;
  const Return counted = functions_.nvmlDeviceGetCount_v2(&count);
  if (counted != kSuccess)
    return Error{Errc::unsupported, fmt::format("NVML: {}", one_line(functions_.nvmlErrorString(counted)))};
  std::vector<weir::device::Device> devices;
  for (unsigned i = 0; i < count; ++i) {
    nvml::Device handle = nullptr;
    if (functions_.nvmlDeviceGetHandleByIndex_v2(i, &handle) == kSuccess) devices.push_back(describe(handle));
  }
  return devices;
}

std::optional<nvml::Device> Library::find(const PciAddress& card) const {
  unsigned count = 0;
  if (functions_.nvmlDeviceGetCount_v2(&count) != kSuccess) return std::nullopt;
  for (unsigned i = 0; i < count; ++i) {
    nvml::Device handle = nullptr;
    PciInfo pci{};
    if (functions_.nvmlDeviceGetHandleByIndex_v2(i, &handle) == kSuccess &&
        functions_.nvmlDeviceGetPciInfo_v3(handle, &pci) == kSuccess && address_of(pci) == card)
      return handle;
  }
  return std::nullopt;
}

Result<Library::Memory> Library::memory_of(const PciAddress& card) const {
  const auto handle = find(card);
  if (!handle) return Error{Errc::unsupported, fmt::format("NVML knows no card at {}", to_text(card))};
  return read_memory(*handle);
}

std::optional<memory::Reading> Library::memory_of_process(const PciAddress& card, pid_t host_pid) const {
  const auto handle = find(card);
  if (!handle) return std::nullopt;
  bool can_list = false;
  for (const GpuProcess& process : read_processes(*handle, can_list))
    if (process.pid == host_pid) return process.memory;
  return std::nullopt;
}

}  // namespace weir::device::nvml
