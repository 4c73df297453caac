#include "audit/mask.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace weir::audit {
namespace {

using Role = DeviceVariable::Role;

// CUDA: CUDA C++ Programming Guide, "CUDA Environment Variables". ROCm: "GPU isolation techniques" of the ROCm
// documentation. Level Zero: core programming guide, "Environment Variables".
constexpr std::array kVariables{
    DeviceVariable{"CUDA_VISIBLE_DEVICES", Vendor::nvidia, Role::mask},
    DeviceVariable{"CUDA_DEVICE_ORDER", Vendor::nvidia, Role::order},
    DeviceVariable{"NVIDIA_VISIBLE_DEVICES", Vendor::nvidia, Role::other},
    DeviceVariable{"PYTORCH_CUDA_ALLOC_CONF", Vendor::nvidia, Role::allocator},
    DeviceVariable{"PYTORCH_ALLOC_CONF", Vendor::nvidia, Role::allocator},
    DeviceVariable{"HIP_VISIBLE_DEVICES", Vendor::amd, Role::mask},
    DeviceVariable{"ROCR_VISIBLE_DEVICES", Vendor::amd, Role::mask},
    DeviceVariable{"GPU_DEVICE_ORDINAL", Vendor::amd, Role::mask},
    DeviceVariable{"PYTORCH_HIP_ALLOC_CONF", Vendor::amd, Role::allocator},
    DeviceVariable{"ZE_AFFINITY_MASK", Vendor::intel, Role::mask},
    DeviceVariable{"ONEAPI_DEVICE_SELECTOR", Vendor::intel, Role::mask},
    DeviceVariable{"ZE_ENABLE_PCI_ID_DEVICE_ORDER", Vendor::intel, Role::order},
    DeviceVariable{"ZE_FLAT_DEVICE_HIERARCHY", Vendor::intel, Role::other},
};

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

bool all_digits(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

/// Returns whether the text is an index of a card ("0"), of a tile ("0.1") or of a part of a tile ("0.1.2").
bool is_index_or_tile(std::string_view text) {
  for (std::size_t dot = text.find('.'); dot != std::string_view::npos; dot = text.find('.')) {
    if (!all_digits(text.substr(0, dot))) return false;
    text.remove_prefix(dot + 1);
  }
  return all_digits(text);
}

/// Returns the entry as it is written, "?" if it is partly unknown, or an empty text if the entry is invalid, so that
/// the list ends before it.
std::string entry_of(std::string_view part) {
  if (part.starts_with("GPU-") || part.starts_with("MIG-")) return std::string{part};
  if (part.find(kHole) != std::string_view::npos) return "?";
  return is_index_or_tile(part) ? std::string{part} : std::string{};
}

}  // namespace

const DeviceVariable* find_device_variable(std::string_view name) {
  const auto* found = std::find_if(kVariables.begin(), kVariables.end(),
                                   [&](const DeviceVariable& known) { return known.name == name; });
  return found == kVariables.end() ? nullptr : found;
}

bool is_mask_variable(std::string_view name) {
  const DeviceVariable* known = find_device_variable(name);
  return known != nullptr && known->role == Role::mask;
}

bool Mask::may_have_index() const {
  return std::any_of(entries.begin(), entries.end(),
                     [](const std::string& entry) { return entry == "?" || (entry[0] >= '0' && entry[0] <= '9'); });
}

std::optional<Mask> parse_mask(std::string_view text) {
  // A text that is unknown as a whole may have any number of entries.
  if (trimmed(text) == std::string_view{&kHole, 1}) return std::nullopt;
  Mask mask;
  while (true) {
    const std::size_t comma = text.find(',');
    std::string entry = entry_of(trimmed(text.substr(0, comma)));
    if (entry.empty()) return mask;
    mask.entries.push_back(std::move(entry));
    if (comma == std::string_view::npos) return mask;
    text.remove_prefix(comma + 1);
  }
}

std::optional<Mask> parse_mask(const Value& value) {
  const auto text = value.as_text();
  return text ? parse_mask(std::string_view{*text}) : std::nullopt;
}

std::optional<DeviceText> parse_device(std::string_view text) {
  struct Prefix {
    std::string_view text;
    Vendor vendor;
  };
  constexpr std::array kPrefixes{
      Prefix{"cuda:", Vendor::nvidia}, Prefix{"xpu:", Vendor::intel},          Prefix{"hip:", Vendor::amd},
      Prefix{"gpu:", Vendor::nvidia},  Prefix{"GPU:", Vendor::nvidia},         Prefix{"/gpu:", Vendor::nvidia},
      Prefix{"/GPU:", Vendor::nvidia}, Prefix{"/device:GPU:", Vendor::nvidia}, Prefix{"/device:gpu:", Vendor::nvidia},
      Prefix{"CUDA:", Vendor::nvidia}};
  for (const Prefix& prefix : kPrefixes) {
    if (!text.starts_with(prefix.text)) continue;
    const std::string_view digits = text.substr(prefix.text.size());
    long index = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), index);
    if (error != std::errc{} || end != digits.data() + digits.size() || index < 0) return std::nullopt;
    return DeviceText{prefix.vendor, index, prefix.text.size()};
  }
  return std::nullopt;
}

}  // namespace weir::audit
