#include "device/device_json.hpp"

#include <algorithm>

#include <nlohmann/json.hpp>

namespace weir::device {
namespace {

using OrderedJson = nlohmann::ordered_json;
using memory::Coverage;
using memory::Privilege;
using memory::Reading;

/// Returns a field; `default_value` if it is missing or has another type.
template <class T>
T get(const OrderedJson& json, const char* key, T default_value = {}) {
  const auto at = json.find(key);
  if (at == json.end()) return default_value;
  if constexpr (std::is_same_v<T, std::string>) {
    return at->is_string() ? at->template get<std::string>() : default_value;
  } else if constexpr (std::is_same_v<T, bool>) {
    return at->is_boolean() ? at->template get<bool>() : default_value;
  } else {
    return at->is_number_integer() ? at->template get<T>() : default_value;
  }
}

OrderedJson optional_json(const std::optional<Reading>& reading) { return reading ? to_json(*reading) : OrderedJson{}; }

std::optional<Reading> reading_from_json(const OrderedJson& json, const char* key) {
  const auto at = json.find(key);
  if (at == json.end() || !at->is_object()) return std::nullopt;
  const auto coverage = get<std::string>(*at, "coverage");
  // The latest time that is accepted, in the year 2255: the clock counts nanoseconds since 1970 in 64 bits, which end
  // in 2262, and a faulty child may send any number.
  constexpr std::int64_t kLatestMs = 9'000'000'000'000;
  const auto taken =
      std::chrono::milliseconds{std::clamp<std::int64_t>(get<std::int64_t>(*at, "taken_ms"), 0, kLatestMs)};
  return Reading{.value = Bytes{get<std::uint64_t>(*at, "bytes")},
                 .source = get<std::string>(*at, "source"),
                 .coverage = coverage == "device"    ? Coverage::device
                             : coverage == "process" ? Coverage::process
                                                     : Coverage::lower_bound,
                 .privilege = get<std::string>(*at, "privilege") == "enough" ? Privilege::enough : Privilege::lacking,
                 .taken_at = std::chrono::system_clock::time_point{taken}};
}

OrderedJson process_json(const GpuProcess& process) {
  OrderedJson json{{"pid", process.pid}, {"name", process.name}, {"memory", optional_json(process.memory)}};
  if (process.engine_ns) json["engine_ns"] = *process.engine_ns;
  return json;
}

GpuProcess gpu_process_from_json(const OrderedJson& json) {
  GpuProcess process{get<pid_t>(json, "pid"), get<std::string>(json, "name"), reading_from_json(json, "memory"),
                     std::nullopt};
  if (json.contains("engine_ns")) process.engine_ns = get<std::uint64_t>(json, "engine_ns");
  return process;
}

/// Returns the enumerator with this name; `default_value` if none of `values` has it.
template <class T>
T value_by_name(const std::string& name, std::initializer_list<T> values, T default_value) {
  for (const T value : values)
    if (name_of(value) == name) return value;
  return default_value;
}

/// Returns a list; an empty list if the field is missing or has another type.
const OrderedJson& list_of(const OrderedJson& json, const char* key) {
  static const OrderedJson kEmpty = OrderedJson::array();
  const auto at = json.find(key);
  return at != json.end() && at->is_array() ? *at : kEmpty;
}

}  // namespace

OrderedJson to_json(const Reading& reading) {
  const auto taken = std::chrono::duration_cast<std::chrono::milliseconds>(reading.taken_at.time_since_epoch()).count();
  return {{"bytes", reading.value.count()},
          {"source", reading.source},
          {"coverage", name_of(reading.coverage)},
          {"privilege", name_of(reading.privilege)},
          {"taken_ms", taken}};
}

OrderedJson to_json(const Device& device) {
  OrderedJson json{{"name", device.name},
                   {"vendor", name_of(device.vendor)},
                   {"kind", name_of(device.kind)},
                   {"uuid", device.uuid},
                   {"vulkan_uuid", device.vulkan_uuid},
                   {"pci", device.pci ? OrderedJson(to_text(*device.pci)) : OrderedJson{}},
                   {"pci_vendor", device.pci_vendor},
                   {"pci_device", device.pci_device},
                   {"driver", device.driver},
                   {"lease", lease_key(device)},
                   {"total", optional_json(device.total)},
                   {"free", optional_json(device.free)},
                   {"used", optional_json(device.used)},
                   {"card", device.drm_card},
                   {"processes_known", device.has_process_list},
                   {"processes_complete", device.has_all_processes}};
  json["index"] = {{"cuda", device.stack_indices.cuda},
                   {"hip", device.stack_indices.hip},
                   {"ze", device.stack_indices.ze},
                   {"vulkan", device.stack_indices.vulkan}};
  json["processes"] = OrderedJson::array();
  for (const GpuProcess& process : device.processes) json["processes"].push_back(process_json(process));
  json["mig"] = OrderedJson::array();
  for (const MigInstance& instance : device.mig_instances)
    json["mig"].push_back({{"uuid", instance.uuid},
                           {"name", instance.name},
                           {"total", optional_json(instance.total)},
                           {"free", optional_json(instance.free)}});
  json["sources"] = device.sources;
  return json;
}

Device device_from_json(const OrderedJson& json) {
  Device device;
  device.name = get<std::string>(json, "name");
  device.vendor =
      value_by_name(get<std::string>(json, "vendor"), {Vendor::nvidia, Vendor::amd, Vendor::intel}, Vendor::other);
  device.kind =
      value_by_name(get<std::string>(json, "kind"),
                    {DeviceKind::discrete, DeviceKind::integrated, DeviceKind::software}, DeviceKind::unknown);
  device.uuid = get<std::string>(json, "uuid");
  device.vulkan_uuid = get<std::string>(json, "vulkan_uuid");
  device.pci = parse_pci_address(get<std::string>(json, "pci"));
  device.pci_vendor = get<std::uint32_t>(json, "pci_vendor");
  device.pci_device = get<std::uint32_t>(json, "pci_device");
  device.driver = get<std::string>(json, "driver");
  device.total = reading_from_json(json, "total");
  device.free = reading_from_json(json, "free");
  device.used = reading_from_json(json, "used");
  device.drm_card = get<std::string>(json, "card");
  device.has_process_list = get<bool>(json, "processes_known");
  device.has_all_processes = get<bool>(json, "processes_complete");
  if (const auto at = json.find("index"); at != json.end() && at->is_object())
    device.stack_indices = {get<int>(*at, "cuda", -1), get<int>(*at, "hip", -1), get<int>(*at, "ze", -1),
                            get<int>(*at, "vulkan", -1)};
  for (const OrderedJson& process : list_of(json, "processes"))
    if (process.is_object()) device.processes.push_back(gpu_process_from_json(process));
  for (const OrderedJson& instance : list_of(json, "mig")) {
    if (!instance.is_object()) continue;
    device.mig_instances.push_back({get<std::string>(instance, "uuid"), get<std::string>(instance, "name"),
                                    reading_from_json(instance, "total"), reading_from_json(instance, "free")});
  }
  for (const OrderedJson& source : list_of(json, "sources"))
    if (source.is_string()) device.sources.push_back(source.get<std::string>());
  return device;
}

std::string devices_to_text(const std::vector<Device>& devices) {
  OrderedJson list = OrderedJson::array();
  for (const Device& device : devices) list.push_back(to_json(device));
  return list.dump(-1, ' ', false, OrderedJson::error_handler_t::replace);
}

std::optional<std::vector<Device>> devices_from_text(std::string_view text) {
  const OrderedJson list = OrderedJson::parse(text, nullptr, false);
  if (!list.is_array()) return std::nullopt;
  std::vector<Device> devices;
  for (const OrderedJson& json : list)
    if (json.is_object()) devices.push_back(device_from_json(json));
  return devices;
}

std::string to_message_line(const nlohmann::json& json) {
  return json.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
}

}  // namespace weir::device
