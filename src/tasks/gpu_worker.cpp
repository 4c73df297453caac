#include "tasks/gpu_worker.hpp"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "base/text.hpp"
#include "device/inventory.hpp"
#include "device/pci_address.hpp"
#include "device/provider.hpp"
#include "jobs/json.hpp"
#include "nn/vulkan/gpu.hpp"

namespace weir::tasks {
namespace {

/// Runs in the child process: finds the GPU and returns the values of NamedGpu, or the error, as JSON.
std::string find_gpu_json(const std::string& device_name) {
  const auto gpu = nn::vulkan::find_gpu(device_name);
  if (!gpu) return jobs::dump({{"error", jobs::to_json(gpu.error())}});
  const auto& info = (*gpu)->info;
  return jobs::dump({{"name", info.name},
                     {"uuid", info.uuid},
                     {"pci", info.pci},
                     // find_gpu() fails if several GPUs have the UUID.
                     {"unique", static_cast<bool>(nn::vulkan::find_gpu(info.uuid))}});
}

/// Returns the hexadecimal digits of a UUID in lower case. So "GPU-6D65..." and "6d65..." become equal.
std::string uuid_digits(std::string_view uuid) {
  std::string digits;
  for (const char c : uuid.substr(uuid.starts_with("GPU-") ? 4 : 0)) {
    if (c != '-') digits += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  return digits;
}

bool is_same_gpu(const device::Device& device, const NamedGpu& gpu) {
  const auto pci = device::parse_pci_address(gpu.pci);
  if (pci && device.pci) return *pci == *device.pci;
  const std::string uuid = uuid_digits(gpu.uuid);
  return !uuid.empty() && (uuid == uuid_digits(device.vulkan_uuid) || uuid == uuid_digits(device.uuid));
}

/// Returns the index of the GPU in `devices`; devices.size() if it is not there.
std::size_t index_of(const NamedGpu& gpu, std::span<const device::Device> devices) {
  const auto found =
      std::find_if(devices.begin(), devices.end(), [&](const auto& one) { return is_same_gpu(one, gpu); });
  return static_cast<std::size_t>(found - devices.begin());
}

/// Returns true if the environment variable hides GPUs from programs that use Vulkan.
bool is_vulkan_variable(const std::string& variable) {
  return variable == "MESA_VK_DEVICE_SELECT" || variable == "DRI_PRIME" || variable == "GGML_VK_VISIBLE_DEVICES";
}

/// Removes the Vulkan variables from the worker's mask if they would hide the worker's own GPU, which happens with two
/// equal cards. The worker does not need them, because it chooses its GPU by UUID or PCI address.
void drop_hiding_variables(jobs::WorkerDevice& device, const NamedGpu& gpu, std::vector<std::string>& notes) {
  auto& mask = device.environment;
  if (std::none_of(mask.begin(), mask.end(), [](const auto& one) { return is_vulkan_variable(one.first); })) return;
  const auto found = find_named_gpu(device.arguments.back(), mask);
  if (found && found->uuid == gpu.uuid && found->pci == gpu.pci) return;
  std::erase_if(mask, [](const auto& one) { return is_vulkan_variable(one.first); });
  notes.push_back(fmt::format("{}: a mask for Vulkan would hide it and is not set; it is chosen by {} alone",
                              printable(device.name), device.arguments.back()));
}

/// Errors: invalid_argument if two workers have the same lease key.
Status check_duplicates(const std::vector<jobs::WorkerDevice>& devices) {
  std::map<std::string, std::string> names_by_lease_key;
  for (const jobs::WorkerDevice& device : devices) {
    if (device.lease_key.empty()) continue;
    const auto [entry, is_new] = names_by_lease_key.emplace(device.lease_key, device.name);
    if (!is_new)
      return Error{Errc::invalid_argument,
                   fmt::format("{} and {} are the same device", printable(entry->second), printable(device.name))};
  }
  return ok();
}

}  // namespace

bool is_gpu_name(const std::string& device_name) { return device_name != "cpu" && !device_name.starts_with("cpu:"); }

Result<NamedGpu> find_named_gpu(const std::string& device_name, const device::EnvironmentChanges& mask) {
  const auto child_answer =
      device::run_in_child([&] { return find_gpu_json(device_name); }, std::chrono::seconds{10}, mask);
  if (!child_answer) return Error{child_answer.error().code, fmt::format("Vulkan: {}", child_answer.error().what)};
  const auto json = jobs::parse_object(*child_answer);
  if (!json) return json.error();
  if (json->contains("error")) return jobs::error_from_json((*json)["error"]);
  return NamedGpu{jobs::text_field(*json, "name"), jobs::text_field(*json, "uuid"), jobs::text_field(*json, "pci"),
                  jobs::bool_field(*json, "unique")};
}

Result<jobs::WorkerDevice> make_gpu_worker(const std::string& device_name, const NamedGpu& gpu,
                                           std::span<const device::Device> devices,
                                           const device::MaskVariables& set_variables,
                                           std::vector<std::string>& notes) {
  jobs::WorkerDevice worker;
  worker.name = device_name;
  // bind_device() (upscale_kind.cpp) returns the same text in the worker.
  worker.identity = gpu.pci.empty() ? gpu.uuid : gpu.uuid + " at pci:" + gpu.pci;
  const bool has_own_selector = gpu.has_unique_uuid || !gpu.pci.empty();
  std::string selector = device_name;
  if (gpu.has_unique_uuid)
    selector = gpu.uuid;
  else if (has_own_selector)
    selector = "pci:" + gpu.pci;
  worker.arguments = {"--device", std::move(selector)};
  const std::size_t index = index_of(gpu, devices);
  if (!has_own_selector || index == devices.size()) return worker;
  auto mask = device::make_mask(devices, index, set_variables);
  if (!mask) return Error{mask.error().code, fmt::format("{}: {}", printable(device_name), mask.error().what)};
  worker.environment = std::move(mask->changes);
  worker.lease_key = lease_key(devices[index]);
  for (const std::string& note : mask->notes) notes.push_back(fmt::format("{}: {}", printable(device_name), note));
  return worker;
}

Status resolve_gpus(std::vector<jobs::WorkerDevice>& workers, std::vector<std::string>& notes) {
  if (std::none_of(workers.begin(), workers.end(), [](const auto& one) { return is_gpu_name(one.name); })) return ok();
  const device::Inventory inventory = device::take_inventory(device::make_providers());
  const device::MaskVariables set_variables = device::read_mask_variables();
  for (jobs::WorkerDevice& worker : workers) {
    if (!is_gpu_name(worker.name)) continue;
    const auto gpu = find_named_gpu(worker.name);
    if (!gpu) return gpu.error();
    auto resolved = make_gpu_worker(worker.name, *gpu, inventory.devices, set_variables, notes);
    if (!resolved) return resolved.error();
    drop_hiding_variables(*resolved, *gpu, notes);
    worker.identity = std::move(resolved->identity);
    worker.arguments = std::move(resolved->arguments);
    worker.environment = std::move(resolved->environment);
    worker.lease_key = std::move(resolved->lease_key);
  }
  return check_duplicates(workers);
}

}  // namespace weir::tasks
