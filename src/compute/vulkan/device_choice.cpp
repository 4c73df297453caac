// The choice of a device by a selector, and texts about devices (device_info.hpp).

#include <algorithm>
#include <cctype>
#include <charconv>
#include <tuple>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/text.hpp"
#include "compute/vulkan/device_info.hpp"

namespace weir::compute::vulkan {

namespace {

/// Returns whether the device matches the selector, which is in lower case and has no "#" part.
bool matches(const DeviceInfo& device, std::string_view selector) {
  if (selector == "gpu") return true;
  if (selector.starts_with("gpu-")) return lower_case(device.uuid) == selector;
  if (selector.starts_with("pci:")) return !device.pci.empty() && device.pci == selector.substr(4);
  return lower_case(device.name).find(selector) != std::string::npos;
}

/// Returns the size of the largest device-local heap.
Bytes local_memory(const DeviceInfo& device) {
  Bytes largest;
  for (const Heap& heap : device.heaps) {
    if (heap.device_local) largest = std::max(largest, heap.size);
  }
  return largest;
}

/// Returns a value by which devices are compared; the larger value is better.
auto device_rank(const DeviceInfo& device) {
  return std::tuple{device.missing_features.empty(), device.kind != DeviceKind::software,
                    device.kind == DeviceKind::discrete, device.kind == DeviceKind::integrated, local_memory(device)};
}

/// Returns the part of an error message that lists the devices.
std::string list_devices_text(std::span<const DeviceInfo> devices) {
  std::vector<std::string> lines;
  for (const DeviceInfo& device : devices) lines.push_back(describe(device));
  return lines.empty() ? "there are none" : fmt::format("there are: {}", fmt::join(lines, "; "));
}

Error unsupported_device_error(const DeviceInfo& device) {
  return {Errc::unsupported, fmt::format("{} cannot be used: its driver ({}) lacks {}", device.name, device.driver,
                                         fmt::join(device.missing_features, ", "))};
}

}  // namespace

std::string_view name_of(DeviceKind kind) {
  switch (kind) {
    case DeviceKind::discrete:
      return "discrete GPU";
    case DeviceKind::integrated:
      return "integrated GPU";
    case DeviceKind::virtual_gpu:
      return "virtual GPU";
    case DeviceKind::software:
      return "software";
    case DeviceKind::other:
      break;
  }
  return "other";
}

std::string describe(const DeviceInfo& device) {
  std::string text = fmt::format("{}, {}, {}, {}, {}", device.name, name_of(device.kind), device.vendor,
                                 to_text(local_memory(device)), device.uuid);
  if (!device.pci.empty()) text += ", pci:" + device.pci;
  if (!device.missing_features.empty()) text += fmt::format(", lacks {}", fmt::join(device.missing_features, " and "));
  return text;
}

Result<DeviceChoice> choose_device(std::span<const DeviceInfo> devices, std::string_view selector) {
  const std::string lower = lower_case(selector);
  std::string_view pattern = lower;
  std::size_t ordinal = 0;
  if (const std::size_t hash = pattern.rfind('#'); hash != std::string_view::npos) {
    const std::string_view digits = pattern.substr(hash + 1);
    const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), ordinal);
    if (parsed.ec != std::errc{} || parsed.ptr != digits.data() + digits.size() || ordinal == 0)
      return Error{Errc::invalid_argument,
                   fmt::format("'{}': a number from 1 on must follow the #", printable(selector))};
    pattern = pattern.substr(0, hash);
  }
  std::vector<std::size_t> matching;
  for (std::size_t i = 0; i < devices.size(); ++i) {
    if (matches(devices[i], pattern)) matching.push_back(i);
  }
  if (matching.empty() || ordinal > matching.size())
    return Error{Errc::invalid_argument,
                 fmt::format("no device matches '{}'; {}", printable(selector), list_devices_text(devices))};
  if (ordinal > 0) {
    matching = {matching[ordinal - 1]};
  } else if (pattern == "gpu") {
    matching = {*std::max_element(matching.begin(), matching.end(), [&](std::size_t a, std::size_t b) {
      return device_rank(devices[a]) < device_rank(devices[b]);
    })};
  }
  if (matching.size() > 1)
    return Error{Errc::invalid_argument,
                 fmt::format("several devices match '{0}': write more of the name, or {0}#1 for the first of them; {1}",
                             printable(selector), list_devices_text(devices))};
  const DeviceInfo& device = devices[matching.front()];
  if (!device.missing_features.empty()) return unsupported_device_error(device);
  // "gpu" must not silently choose a software device in place of a GPU that lacks a feature.
  const bool software_by_default = pattern == "gpu" && device.kind == DeviceKind::software;
  if (software_by_default && ordinal == 0 && devices.size() > 1 &&
      std::any_of(devices.begin(), devices.end(), [](const DeviceInfo& d) { return d.kind != DeviceKind::software; }))
    return Error{Errc::unsupported, fmt::format("no GPU can be used; to use a software device, write its name; {}",
                                                list_devices_text(devices))};
  return DeviceChoice{matching.front(), software_by_default};
}

}  // namespace weir::compute::vulkan
