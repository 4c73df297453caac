#include "audit/policy.hpp"

#include <fnmatch.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <string_view>
#include <system_error>

#include <fmt/format.h>
#include <toml++/toml.h>

#include "base/atomic_file.hpp"
#include "base/closest_word.hpp"
#include "base/text.hpp"

namespace weir::audit {
namespace {

namespace fs = std::filesystem;

Error at_line(const fs::path& path, const toml::source_region& where, const std::string& what) {
  return {Errc::invalid_argument, fmt::format("{}:{}: {}", printable(path.native()), where.begin.line, what)};
}

/// Stores the value of one key of [audit] in the policy.
Status apply(const std::string& key, const toml::node& node, Policy& policy) {
  const auto wrong_type = [&](const char* what) {
    return Error{Errc::invalid_argument, fmt::format("'{}' must be {}", key, what)};
  };
  const auto text = [&](std::string& target) -> Status {
    if (const auto* value = node.as_string()) {
      target = value->get();
      return ok();
    }
    if (const auto* number = node.as_integer()) {
      target = std::to_string(number->get());
      return ok();
    }
    return wrong_type("a text");
  };
  const auto texts = [&](std::vector<std::string>& target) -> Status {
    const auto* list = node.as_array();
    if (list == nullptr) return wrong_type("a list of texts");
    for (const toml::node& one : *list) {
      const auto* value = one.as_string();
      if (value == nullptr) return wrong_type("a list of texts");
      target.push_back(value->get());
    }
    return ok();
  };
  if (key == "device") return text(policy.device);
  if (key == "index") return text(policy.index);
  if (key == "role") return text(policy.role);
  if (key == "index-libraries") return texts(policy.index_libraries);
  if (key == "entry-points") return texts(policy.entry_points);
  if (key == "exclude") return texts(policy.exclude);
  if (key == "mask") {
    const auto* value = node.as_string();
    if (value == nullptr || (value->get() != "uuid" && value->get() != "index"))
      return wrong_type("\"uuid\" or \"index\"");
    policy.mask_by_uuid = value->get() == "uuid";
    return ok();
  }
  constexpr std::array<std::string_view, 7> kKeys{"device",       "index",   "role", "index-libraries",
                                                  "entry-points", "exclude", "mask"};
  return Error{Errc::invalid_argument,
               fmt::format("unknown setting '{}' in [audit]{}", printable(key), did_you_mean(key, kKeys))};
}

}  // namespace

std::string Policy::mask(bool by_index) const {
  const bool is_uuid = device.starts_with("GPU-") || device.starts_with("MIG-");
  const bool is_number = !device.empty() && device.find_first_not_of("0123456789") == std::string::npos;
  if (is_uuid && !by_index) return device;
  if (!index.empty()) return index;
  return is_number ? device : std::string{};
}

Vendor Policy::vendor() const {
  // A vendor matches if a word of the product name begins with one of its texts.
  struct Named {
    std::string_view part;
    Vendor vendor;
  };
  constexpr std::array kNames{Named{"intel", Vendor::intel},
                              Named{"arc ", Vendor::intel},
                              Named{"data center gpu max", Vendor::intel},
                              Named{"data center gpu flex", Vendor::intel},
                              Named{"amd", Vendor::amd},
                              Named{"radeon", Vendor::amd},
                              Named{"instinct", Vendor::amd},
                              Named{"mi2", Vendor::amd},
                              Named{"mi3", Vendor::amd}};
  const std::string name = lower_case(device);
  const auto* found = std::find_if(kNames.begin(), kNames.end(), [&](const Named& named) {
    return name.starts_with(named.part) || name.find(' ' + std::string{named.part}) != std::string::npos;
  });
  return found == kNames.end() ? Vendor::nvidia : found->vendor;
}

bool Policy::is_entry_point(std::string_view name) const {
  return std::any_of(entry_points.begin(), entry_points.end(),
                     [&](const std::string& pattern) { return matches_pattern(pattern, name); });
}

Result<Policy> read_policy(const fs::path& path) {
  Policy policy;
  const auto text = read_file(path);
  if (!text) return text.error();
  toml::table table;
  try {
    table = toml::parse(*text);
  } catch (const toml::parse_error& error) {
    return at_line(path, error.source(), printable(error.description()));
  }
  const auto* audit = table.get_as<toml::table>("audit");
  if (audit == nullptr) return policy;
  policy.is_defined = true;
  policy.file_path = path.native();
  for (const auto& [key, node] : *audit) {
    if (auto set = apply(std::string{key.str()}, node, policy); !set)
      return at_line(path, key.source(), set.error().what);
  }
  return policy;
}

bool matches_pattern(std::string_view pattern, std::string_view path) {
  const std::string without_slash{pattern.ends_with('/') ? pattern.substr(0, pattern.size() - 1) : pattern};
  const std::string name{path};
  if (::fnmatch(without_slash.c_str(), name.c_str(), 0) == 0) return true;
  // A pattern that matches a folder, by its name or by its path, matches everything below the folder.
  for (std::size_t begin = 0; begin <= name.size();) {
    const std::size_t slash = std::min(name.find('/', begin), name.size());
    if (::fnmatch(without_slash.c_str(), name.substr(begin, slash - begin).c_str(), 0) == 0) return true;
    if (::fnmatch(without_slash.c_str(), name.substr(0, slash).c_str(), FNM_PATHNAME) == 0) return true;
    begin = slash + 1;
  }
  return false;
}

}  // namespace weir::audit
