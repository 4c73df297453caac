#include "device/policy.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <fnmatch.h>

#include "base/text.hpp"

namespace weir::device {
namespace {

std::string lower(std::string_view text) {
  std::string out{text};
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

/// Returns the first pattern that matches; empty if none does.
std::optional<std::string> first_match(const Device& device, const std::vector<std::string>& patterns) {
  for (const std::string& pattern : patterns)
    if (matches(device, pattern)) return pattern;
  return std::nullopt;
}

std::string quoted(const std::string& pattern) { return fmt::format("'{}'", printable(pattern)); }

/// Returns why Policy::request excludes the device; empty if it does not.
std::string request_problem(const Device& device, const std::vector<std::string>& request) {
  bool has_positive = false;  // `request` has a pattern without '!'
  bool is_requested = false;  // one of these matches the device
  for (const std::string& pattern : request) {
    if (pattern.starts_with('!')) {
      if (matches(device, pattern.substr(1))) return "excluded by " + quoted(pattern);
      continue;
    }
    has_positive = true;
    is_requested = is_requested || matches(device, pattern);
  }
  return has_positive && !is_requested ? "not asked for" : std::string{};
}

bool is_number(std::string_view text) { return text.find_first_not_of("0123456789.") == std::string_view::npos; }

/// Returns true if a pattern names this software device. Patterns that are numbers do not count, since names such as
/// "LLVM 15.0.6, 256 bits" contain numbers.
bool is_named(const Device& device, const Policy& policy) {
  const auto names_device = [&](const std::string& pattern) { return !is_number(pattern) && matches(device, pattern); };
  return std::any_of(policy.allow.begin(), policy.allow.end(), names_device) ||
         std::any_of(policy.request.begin(), policy.request.end(), names_device);
}

std::string memory_problem(const Device& device, const Policy& policy, const MemoryRequirement& need) {
  if (policy.min_memory) {
    if (!device.total) return fmt::format("its memory is not known, {} wanted", to_text(*policy.min_memory));
    // Not rounded: cards have a little less memory than their nominal size; a "24 GB" card has 23.7 GiB.
    if (device.total->value < *policy.min_memory)
      return fmt::format("{} in all, {} wanted", to_text(device.total->value), to_text(*policy.min_memory));
  }
  if (need.free == Bytes{}) return {};
  const bool known = device.free && device.free->coverage != memory::Coverage::lower_bound;
  if (!known) return need.trust_unknown ? std::string{} : "its free memory is not known";
  if (device.free->value < need.free)
    return fmt::format("{} free, {} needed", to_text(device.free->value), to_text(need.free));
  return {};
}

/// Returns why a device may not be used; empty if it may.
std::string refusal_reason(const Device& device, const Policy& policy, const MemoryRequirement& need) {
  for (const Policy::Exclusion& exclusion : policy.exclusions)
    if (matches(device, exclusion.pattern)) return "left out of this run: " + exclusion.why;
  if (const auto denied = first_match(device, policy.deny)) return "denied by " + quoted(*denied);
  if (!policy.allow.empty() && !first_match(device, policy.allow)) return "not allowed by the policy";
  if (auto problem = request_problem(device, policy.request); !problem.empty()) return problem;
  if (device.kind == DeviceKind::software && !is_named(device, policy)) return "is software; name it to use it";
  if (!device.mig_instances.empty()) return "is in MIG mode: its instances are used in its place";
  return memory_problem(device, policy, need);
}

/// Returns the index of the first pattern in Policy::prefer that matches the device; their number if no pattern does.
std::size_t preference(const Device& device, const Policy& policy) {
  for (std::size_t i = 0; i < policy.prefer.size(); ++i)
    if (matches(device, policy.prefer[i])) return i;
  return policy.prefer.size();
}

Bytes known_free(const Device& device) { return device.free ? device.free->value : Bytes{}; }

std::string acceptance_reason(const Device& device, const Policy& policy) {
  const std::size_t preferred = preference(device, policy);
  if (preferred < policy.prefer.size()) return "preferred by " + quoted(policy.prefer[preferred]);
  const std::string free = device.free ? to_text(device.free->value) + " free" : "free memory not known";
  return fmt::format("{}, {}", name_of(device.kind), free);
}

}  // namespace

Status check_pattern(std::string_view pattern) {
  constexpr std::size_t kMaxIndexDigits = 2;  // longer numbers such as "3090" are parts of names
  const std::string_view bare = pattern.substr(pattern.starts_with('!') ? 1 : 0);
  const bool is_index =
      !bare.empty() && bare.size() <= kMaxIndexDigits && bare.find_first_not_of("0123456789") == std::string_view::npos;
  if (!is_index) return ok();
  return Error{Errc::invalid_argument,
               fmt::format("'{}' looks like an index, which proves nothing: name the device by a part of its name with "
                           "a letter, its UUID or its PCI address; 'weir devices' lists them",
                           printable(pattern))};
}

bool matches(const Device& device, std::string_view pattern) {
  const std::string lower_pattern = lower(pattern);
  const std::string_view address = std::string_view{lower_pattern}.starts_with("pci:")
                                       ? std::string_view{lower_pattern}.substr(4)
                                       : std::string_view{lower_pattern};
  if (const auto pci = parse_pci_address(address)) return device.pci == pci;
  const std::string uuid = lower(device.uuid);
  const std::string name = lower(device.name);
  if (lower_pattern.find_first_of("*?[") != std::string::npos)
    return ::fnmatch(lower_pattern.c_str(), name.c_str(), 0) == 0 ||
           (!uuid.empty() && ::fnmatch(lower_pattern.c_str(), uuid.c_str(), 0) == 0);
  if (lower_pattern.empty()) return false;
  return uuid == lower_pattern || name.find(lower_pattern) != std::string::npos;
}

DeviceChoice choose_devices(std::span<const Device> devices, const Policy& policy, const MemoryRequirement& need,
                            std::span<const std::string> hidden_reasons) {
  DeviceChoice choice;
  for (std::size_t i = 0; i < devices.size(); ++i) {
    std::string problem = i < hidden_reasons.size() && !hidden_reasons[i].empty()
                              ? hidden_reasons[i]
                              : refusal_reason(devices[i], policy, need);
    const bool accepted = problem.empty();
    choice.assessments.push_back({.device_index = i,
                                  .accepted = accepted,
                                  .reason = accepted ? acceptance_reason(devices[i], policy) : std::move(problem)});
    if (accepted) choice.ranked.push_back(i);
  }
  std::stable_sort(choice.ranked.begin(), choice.ranked.end(), [&](std::size_t a, std::size_t b) {
    const std::size_t preference_a = preference(devices[a], policy);
    const std::size_t preference_b = preference(devices[b], policy);
    if (preference_a != preference_b) return preference_a < preference_b;
    if (devices[a].kind != devices[b].kind) return devices[a].kind < devices[b].kind;
    return known_free(devices[a]) > known_free(devices[b]);
  });
  return choice;
}

std::string describe_refusal(std::span<const Device> devices, const DeviceChoice& choice) {
  if (devices.empty()) return "no GPU was found; 'weir doctor' says where it looked";
  std::string text = "no device may be used";
  for (const DeviceAssessment& one : choice.assessments)
    text += fmt::format("{} {}: {}", one.device_index == 0 ? ":" : ";", to_text(devices[one.device_index]), one.reason);
  return text;
}

std::vector<std::string> split_list(std::string_view text) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const std::size_t comma = text.find(',');
    if (comma != 0) parts.emplace_back(text.substr(0, comma));
    text.remove_prefix(comma == std::string_view::npos ? text.size() : comma + 1);
  }
  return parts;
}

std::vector<Device> expand_mig_instances(std::span<const Device> devices) {
  std::vector<Device> all;
  for (const Device& device : devices) {
    all.push_back(device);
    for (const MigInstance& instance : device.mig_instances) {
      Device part = device;
      part.mig_instances.clear();
      part.processes.clear();
      part.has_process_list = part.has_all_processes = false;
      part.name = instance.name.empty() ? device.name + " MIG" : instance.name;
      part.uuid = instance.uuid;
      part.total = instance.total;
      part.free = instance.free;
      part.used = std::nullopt;
      all.push_back(std::move(part));
    }
  }
  return all;
}

}  // namespace weir::device
