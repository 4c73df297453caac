#include "device/mask.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <optional>

#include <fmt/format.h>

#include "base/text.hpp"
#include "device/device_json.hpp"
#include "device/policy.hpp"
#include "device/provider.hpp"

namespace weir::device {
namespace {

/// The variables with the settings of PyTorch's allocator. PyTorch reads the first one since release 2.9.
constexpr std::array<const char*, 3> kAllocatorVariables = {"PYTORCH_ALLOC_CONF", "PYTORCH_CUDA_ALLOC_CONF",
                                                            "PYTORCH_HIP_ALLOC_CONF"};

/// The variables that MaskVariables may contain: those that select or order devices, and those of the allocator.
constexpr std::array<const char*, 14> kVariables = {
    "CUDA_VISIBLE_DEVICES",          "CUDA_DEVICE_ORDER",     "ROCR_VISIBLE_DEVICES",
    "HIP_VISIBLE_DEVICES",           "ZE_AFFINITY_MASK",      "ZE_FLAT_DEVICE_HIERARCHY",
    "ZE_ENABLE_PCI_ID_DEVICE_ORDER", "MESA_VK_DEVICE_SELECT", "DRI_PRIME",
    "GGML_VK_VISIBLE_DEVICES",       "GPU_DEVICE_ORDINAL",    kAllocatorVariables[0],
    kAllocatorVariables[1],          kAllocatorVariables[2]};

const std::string* find(const MaskVariables& variables, std::string_view name) {
  const auto at = variables.find(name);
  return at == variables.end() ? nullptr : &at->second;
}

/// Returns the index that a text consists of; nothing if the text is anything but digits.
std::optional<int> parse_index(std::string_view text) {
  int index = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), index);
  const bool is_whole = problem == std::errc{} && end == text.data() + text.size();
  return is_whole && index >= 0 ? std::optional{index} : std::nullopt;
}

/// Returns true if one entry of a mask variable's value names the device: by index, by UUID or by the start of the
/// UUID.
bool entry_names(std::string_view entry, const std::string& uuid, int index) {
  if (const auto number = parse_index(entry)) return *number == index;
  constexpr std::size_t kPrefixLength = 4;  // of "GPU-" and "MIG-": a prefix alone names no device
  return entry.size() > kPrefixLength && uuid.starts_with(entry);
}

/// Returns true if any entry of a mask variable's value names the device.
bool contains(const std::string& value, const std::string& uuid, int index) {
  const auto entries = split_list(value);
  return std::any_of(entries.begin(), entries.end(),
                     [&](const auto& entry) { return entry_names(entry, uuid, index); });
}

std::string hidden_text(std::string_view name, const std::string& value) {
  return fmt::format("hidden by {}={}, which is set already", name, printable(value));
}

/// Returns the variable that decides which AMD devices are visible: of those that are set, the one of the lowest
/// software layer (ROCR is below HIP). Empty: no such variable is set.
std::string_view amd_variable(const MaskVariables& variables) {
  for (const std::string_view name : {"ROCR_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES", "GPU_DEVICE_ORDINAL"})
    if (find(variables, name) != nullptr) return name;
  return {};
}

/// Returns true if one entry of ZE_AFFINITY_MASK names the card: "0", "0.1" for tile 1 of card 0, or "0.1.2" for engine
/// 2 of that tile. An entry with anything else than an index between its dots, such as "0.a", names no card.
bool ze_entry_names(std::string_view entry, int index) {
  const std::optional<int> card = parse_index(entry.substr(0, entry.find('.')));
  while (entry.find('.') != std::string_view::npos) {
    entry.remove_prefix(entry.find('.') + 1);
    if (!parse_index(entry.substr(0, entry.find('.')))) return false;
  }
  return card == index;
}

/// Returns true if any entry of `value` (of ZE_AFFINITY_MASK) names the card. (With ZE_FLAT_DEVICE_HIERARCHY=FLAT the
/// entries are indices of tiles, which this function does not handle.)
bool is_shown_by_ze(const std::string& value, int index) {
  const auto entries = split_list(value);
  return std::any_of(entries.begin(), entries.end(),
                     [&](const std::string& entry) { return ze_entry_names(entry, index); });
}

/// Returns why the variables hide the device; empty if they do not.
std::string hidden_reason(const Device& device, const MaskVariables& variables) {
  if (device.vendor == Vendor::nvidia) {
    const std::string* value = find(variables, "CUDA_VISIBLE_DEVICES");
    if (value != nullptr && !contains(*value, device.uuid, device.stack_indices.cuda))
      return hidden_text("CUDA_VISIBLE_DEVICES", *value);
  }
  if (device.vendor == Vendor::amd) {
    const std::string_view name = amd_variable(variables);
    if (!name.empty() && !contains(*find(variables, name), device.uuid, device.stack_indices.hip))
      return hidden_text(name, *find(variables, name));
  }
  if (device.vendor == Vendor::intel) {
    const std::string* value = find(variables, "ZE_AFFINITY_MASK");
    if (value != nullptr && !value->empty() && !is_shown_by_ze(*value, device.stack_indices.ze))
      return hidden_text("ZE_AFFINITY_MASK", *value);
  }
  return {};
}

/// Adds the changes that make CUDA use only this device.
void mask_nvidia(const Device& device, const MaskVariables& variables, CudaNames names, Mask& mask) {
  const bool by_uuid = (names == CudaNames::uuid && !device.uuid.empty()) || device.uuid.starts_with("MIG-");
  const std::string value = by_uuid ? device.uuid : std::to_string(device.stack_indices.cuda);
  const std::string* old_value = find(variables, "CUDA_VISIBLE_DEVICES");
  const bool begins_with_index = old_value != nullptr && old_value->find_first_of("0123456789") == 0;
  if (begins_with_index && find(variables, "CUDA_DEVICE_ORDER") == nullptr)
    mask.notes.push_back(
        fmt::format("CUDA_VISIBLE_DEVICES={} is set without CUDA_DEVICE_ORDER; its indices are read in PCI order",
                    printable(*old_value)));
  if (old_value == nullptr || *old_value != value) mask.changes.emplace_back("CUDA_VISIBLE_DEVICES", value);
  mask.changes.emplace_back("CUDA_DEVICE_ORDER", "PCI_BUS_ID");
}

/// Adds the changes that make AMD's stacks (ROCR and HIP) use only this device.
void mask_amd(const Device& device, const MaskVariables& variables, Mask& mask) {
  // Sets the variable of only one layer, since HIP counts within the devices that ROCR leaves. HIP also reads
  // CUDA_VISIBLE_DEVICES (Parsl#3858), so that variable is removed.
  const bool uses_hip_mask = amd_variable(variables) == "HIP_VISIBLE_DEVICES";
  const std::string rocr = device.uuid.empty() ? std::to_string(device.stack_indices.hip) : device.uuid;
  mask.changes.emplace_back("ROCR_VISIBLE_DEVICES", uses_hip_mask ? std::string{} : rocr);
  mask.changes.emplace_back("HIP_VISIBLE_DEVICES",
                            uses_hip_mask ? std::to_string(device.stack_indices.hip) : std::string{});
  mask.changes.emplace_back("GPU_DEVICE_ORDINAL", "");
  mask.changes.emplace_back("CUDA_VISIBLE_DEVICES", "");
}

/// Adds the changes that make Level Zero use only this device.
void mask_intel(const Device& device, const MaskVariables& variables, Mask& mask) {
  // Selects a whole card, never a tile, in every hierarchy mode.
  mask.changes.emplace_back("ZE_AFFINITY_MASK", std::to_string(device.stack_indices.ze));
  mask.changes.emplace_back("ZE_FLAT_DEVICE_HIERARCHY", "COMPOSITE");
  mask.changes.emplace_back("ZE_ENABLE_PCI_ID_DEVICE_ORDER", "1");
  const std::string* old_value = find(variables, "ZE_AFFINITY_MASK");
  if (old_value != nullptr && old_value->find('.') != std::string::npos)
    mask.notes.push_back(fmt::format("ZE_AFFINITY_MASK={} names tiles; the whole card is used", printable(*old_value)));
}

/// Sets the allocator settings under the old variable name only: the new name would override settings that a program
/// sets itself under the old name.
void set_torch_allocator(const Device& device, const MaskVariables& variables, const std::string& settings,
                         Mask& mask) {
  const bool is_set = std::any_of(kAllocatorVariables.begin(), kAllocatorVariables.end(),
                                  [&](const char* name) { return find(variables, name) != nullptr; });
  if (is_set || settings.empty()) return;
  if (device.vendor == Vendor::nvidia) mask.changes.emplace_back("PYTORCH_CUDA_ALLOC_CONF", settings);
  if (device.vendor == Vendor::amd) mask.changes.emplace_back("PYTORCH_HIP_ALLOC_CONF", settings);
}

/// Adds the changes that make Mesa's Vulkan layer show only cards of this model; a note too if there are several.
void mask_vulkan(std::span<const Device> devices, const Device& device, Mask& mask) {
  if (device.pci_vendor == 0) return;
  // The value is the model of the card as "VENDOR:DEVICE". "!" hides all other devices, if Mesa's Vulkan layer is
  // installed and supports it; it works for the drivers of all vendors.
  mask.changes.emplace_back("MESA_VK_DEVICE_SELECT", fmt::format("{:x}:{:x}!", device.pci_vendor, device.pci_device));
  const auto equal_cards = std::count_if(devices.begin(), devices.end(), [&](const Device& other) {
    return other.pci_vendor == device.pci_vendor && other.pci_device == device.pci_device && other.pci != device.pci;
  });
  if (equal_cards == 0 || !device.pci) return;
  const PciAddress& at = *device.pci;
  mask.changes.emplace_back("DRI_PRIME",
                            fmt::format("pci-{:04x}_{:02x}_{:02x}_{:x}", at.domain, at.bus, at.device, at.function));
  mask.notes.emplace_back(
      "another card of the same model exists: MESA_VK_DEVICE_SELECT cannot tell them apart, so Vulkan programs may see "
      "both; let the program choose its device by UUID or PCI address, and check its placement");
}

}  // namespace

MaskVariables read_mask_variables() {
  MaskVariables variables;
  for (const char* name : kVariables) {
    if (const char* value = std::getenv(name)) variables.emplace(name, value);  // NOLINT(concurrency-mt-unsafe)
  }
  return variables;
}

std::vector<std::string> find_hidden_reasons(std::span<const Device> devices, const MaskVariables& variables) {
  std::vector<std::string> reasons;
  reasons.reserve(devices.size());
  for (const Device& device : devices) reasons.push_back(hidden_reason(device, variables));
  return reasons;
}

Result<Mask> make_mask(std::span<const Device> devices, std::size_t chosen, const MaskVariables& variables,
                       const MaskOptions& options) {
  const Device& device = devices[chosen];
  if (const std::string hidden = hidden_reason(device, variables); !hidden.empty())
    return Error{Errc::invalid_argument, fmt::format("{} is {}", to_text(device), hidden)};
  Mask mask;
  if (device.vendor == Vendor::nvidia) mask_nvidia(device, variables, options.cuda_names, mask);
  if (device.vendor == Vendor::amd) mask_amd(device, variables, mask);
  if (device.vendor == Vendor::intel) mask_intel(device, variables, mask);
  if (device.vendor == Vendor::intel || device.kind == DeviceKind::software) {
    mask.changes.emplace_back("CUDA_VISIBLE_DEVICES", "-1");  // hides the NVIDIA cards
  }
  if (device.vendor == Vendor::amd)
    mask.notes.emplace_back(
        "CUDA_VISIBLE_DEVICES is not set, because HIP obeys it too: NVIDIA cards stay visible to CUDA");
  mask_vulkan(devices, device, mask);
  set_torch_allocator(device, variables, options.torch_allocator, mask);
  return mask;
}

void add_vulkan_index(Mask& mask, const Device& device) {
  if (device.stack_indices.vulkan < 0) return;
  const auto text = run_in_child(
      [] {
        const auto devices = make_vulkan_provider()->devices();
        return devices ? devices_to_text(*devices) : std::string{"[]"};
      },
      std::chrono::seconds{10}, mask.changes);
  const auto listed = text ? devices_from_text(*text) : std::nullopt;
  for (const Device& other : listed.value_or(std::vector<Device>{})) {
    const bool is_same_device =
        device.pci && other.pci ? device.pci == other.pci : device.vulkan_uuid == other.vulkan_uuid;
    if (!is_same_device) continue;
    mask.changes.emplace_back("GGML_VK_VISIBLE_DEVICES", std::to_string(other.stack_indices.vulkan));
    return;
  }
  mask.notes.emplace_back("Vulkan does not show the device under its mask; GGML_VK_VISIBLE_DEVICES is not set");
}

}  // namespace weir::device
