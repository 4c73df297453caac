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

/// The first pattern that matches; empty if none does.
std::optional<std::string> first_match(const Device& device, const std::vector<std::string>& patterns) {
  for (const std::string& pattern : patterns)
    if (matches(device, pattern)) return pattern;
  return std::nullopt;
}

std::string quoted(const std::string& pattern) { return fmt::format("'{}'", printable(pattern)); }

/// What this run asks for: any of the plain patterns, none of those with '!'.
std::string request_problem(const Device& device, const std::vector<std::string>& request) {
  bool any_plain = false;
  bool found = false;
  for (const std::string& pattern : request) {
    if (pattern.starts_with('!')) {
      if (matches(device, pattern.substr(1))) return "excluded by " + quoted(pattern);
      continue;
    }
    any_plain = true;
    found = found || matches(device, pattern);
  }
  return any_plain && !found ? "not asked for" : std::string{};
}

bool is_number(std::string_view text) { return text.find_first_not_of("0123456789.") == std::string_view::npos; }

/// Whether a pattern means this software device. A number is none that does: "LLVM 15.0.6, 256 bits" holds several.
bool is_named(const Device& device, const Policy& policy) {
  const auto means = [&](const std::string& pattern) { return !is_number(pattern) && matches(device, pattern); };
  return std::any_of(policy.allow.begin(), policy.allow.end(), means) ||
         std::any_of(policy.request.begin(), policy.request.end(), means);
}

std::string memory_problem(const Device& device, const Policy& policy, const Need& need) {
  if (policy.min_memory) {
    if (!device.total) return fmt::format("its memory is not known, {} wanted", to_text(*policy.min_memory));
    // Cards have a little less than what is printed on them: a card "of 24 GB" has 23.7 GiB in all.
    if (device.total->value < *policy.min_memory)
      return fmt::format("{} in all, {} wanted", to_text(device.total->value), to_text(*policy.min_memory));
  }
  if (need.free == Bytes{}) return {};
  const bool known = device.free && device.free->scope != memory::Scope::lower_bound;
  if (!known) return need.trust_unknown ? std::string{} : "its free memory is not known";
  if (device.free->value < need.free)
    return fmt::format("{} free, {} needed", to_text(device.free->value), to_text(need.free));
  return {};
}

/// Why a device may not be used; empty if it may.
std::string objection(const Device& device, const Policy& policy, const Need& need) {
  for (const Policy::LeftOut& out : policy.left_out)
    if (matches(device, out.pattern)) return "left out of this run: " + out.why;
  if (const auto denied = first_match(device, policy.deny)) return "denied by " + quoted(*denied);
  if (!policy.allow.empty() && !first_match(device, policy.allow)) return "not allowed by the policy";
  if (auto problem = request_problem(device, policy.request); !problem.empty()) return problem;
  if (device.kind == Kind::software && !is_named(device, policy)) return "is software; name it to use it";
  if (!device.mig.empty()) return "is in MIG mode: its instances are used in its place";
  return memory_problem(device, policy, need);
}

std::size_t preference(const Device& device, const Policy& policy) {
  for (std::size_t i = 0; i < policy.prefer.size(); ++i)
    if (matches(device, policy.prefer[i])) return i;
  return policy.prefer.size();
}

Bytes known_free(const Device& device) { return device.free ? device.free->value : Bytes{}; }

std::string praise(const Device& device, const Policy& policy) {
  const std::size_t place = preference(device, policy);
  if (place < policy.prefer.size()) return "preferred by " + quoted(policy.prefer[place]);
  const std::string free = device.free ? to_text(device.free->value) + " free" : "free memory not known";
  return fmt::format("{}, {}", name_of(device.kind), free);
}

}  // namespace

Status check_pattern(std::string_view pattern) {
  constexpr std::size_t kLongestIndex = 2;  // "3090" is a part of a name
  const std::string_view bare = pattern.substr(pattern.starts_with('!') ? 1 : 0);
  const bool index =
      !bare.empty() && bare.size() <= kLongestIndex && bare.find_first_not_of("0123456789") == std::string_view::npos;
  if (!index) return ok();
  return Error{Errc::invalid_argument,
               fmt::format("'{}' looks like an index, which proves nothing: name the device by a part of its name with "
                           "a letter, its UUID or its PCI address; 'weir devices' lists them",
                           printable(pattern))};
}

bool matches(const Device& device, std::string_view pattern) {
  const std::string wanted = lower(pattern);
  const std::string_view address =
      std::string_view{wanted}.starts_with("pci:") ? std::string_view{wanted}.substr(4) : std::string_view{wanted};
  if (const auto pci = parse_pci_address(address)) return device.pci == pci;
  const std::string uuid = lower(device.uuid);
  const std::string name = lower(device.name);
  if (wanted.find_first_of("*?[") != std::string::npos)
    return ::fnmatch(wanted.c_str(), name.c_str(), 0) == 0 ||
           (!uuid.empty() && ::fnmatch(wanted.c_str(), uuid.c_str(), 0) == 0);
  if (wanted.empty()) return false;
  return uuid == wanted || name.find(wanted) != std::string::npos;
}

Choice choose(std::span<const Device> devices, const Policy& policy, const Need& need,
              std::span<const std::string> hidden) {
  Choice choice;
  for (std::size_t i = 0; i < devices.size(); ++i) {
    std::string problem = i < hidden.size() && !hidden[i].empty() ? hidden[i] : objection(devices[i], policy, need);
    const bool accepted = problem.empty();
    choice.considered.push_back({i, accepted, accepted ? praise(devices[i], policy) : std::move(problem)});
    if (accepted) choice.order.push_back(i);
  }
  std::stable_sort(choice.order.begin(), choice.order.end(), [&](std::size_t a, std::size_t b) {
    const std::size_t first = preference(devices[a], policy);
    const std::size_t second = preference(devices[b], policy);
    if (first != second) return first < second;
    if (devices[a].kind != devices[b].kind) return devices[a].kind < devices[b].kind;
    return known_free(devices[a]) > known_free(devices[b]);
  });
  return choice;
}

std::string refusal(std::span<const Device> devices, const Choice& choice) {
  if (devices.empty()) return "no GPU was found; 'weir doctor' says where it looked";
  std::string text = "no device may be used";
  for (const Considered& one : choice.considered)
    text += fmt::format("{} {}: {}", one.device == 0 ? ":" : ";", to_text(devices[one.device]), one.reason);
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

std::vector<Device> with_mig_instances(std::span<const Device> devices) {
  std::vector<Device> all;
  for (const Device& device : devices) {
    all.push_back(device);
    for (const MigInstance& instance : device.mig) {
      Device part = device;
      part.mig.clear();
      part.processes.clear();
      part.processes_known = false;
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
