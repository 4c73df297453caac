#include "base/system_memory.hpp"

#include <algorithm>
#include <charconv>
#include <iterator>

#include "base/process_memory.hpp"
#include "base/small_file.hpp"

namespace weir {
namespace {

namespace fs = std::filesystem;

/// Returns the number of bytes that a file contains as text; empty for "max" and for a missing file.
std::optional<Bytes> bytes_in(const fs::path& path) {
  const auto value = read_number_file(path);
  return value ? std::optional{Bytes{*value}} : std::nullopt;
}

/// Returns a value from the "key value" lines of memory.stat.
Bytes stat_value(std::string_view stat, const std::string& key) {
  for (std::size_t at = stat.find(key + ' '); at != std::string_view::npos; at = stat.find(key + ' ', at + 1)) {
    if (at != 0 && stat[at - 1] != '\n') continue;
    std::uint64_t value = 0;
    const char* const value_begin = stat.data() + at + key.size() + 1;
    if (std::from_chars(value_begin, stat.data() + stat.size(), value).ec == std::errc{}) return Bytes{value};
  }
  return {};
}

/// Returns what remains below one limit. `reclaimable` counts as free: the pages of cached files that were not used
/// lately (inactive_file), because the kernel reclaims them before the limit applies.
std::optional<Bytes> remaining_below(std::optional<Bytes> limit, std::optional<Bytes> used, Bytes reclaimable) {
  if (!limit || !used) return std::nullopt;
  return *limit - (*used - reclaimable);
}

/// Returns what remains in one control group: version 2 if it has memory.current, else version 1. The files are
/// documented in Documentation/admin-guide/cgroup-v2.rst and cgroup-v1/memory.rst of the Linux kernel.
std::optional<Bytes> remaining_in_group(const fs::path& folder) {
  const std::string stat = read_small_file(folder / "memory.stat");
  if (auto used = bytes_in(folder / "memory.current")) {
    const auto below_max = remaining_below(bytes_in(folder / "memory.max"), used, stat_value(stat, "inactive_file"));
    const auto below_high = remaining_below(bytes_in(folder / "memory.high"), used, stat_value(stat, "inactive_file"));
    if (below_max && below_high) return std::min(*below_max, *below_high);
    return below_max ? below_max : below_high;
  }
  return remaining_below(bytes_in(folder / "memory.limit_in_bytes"), bytes_in(folder / "memory.usage_in_bytes"),
                         stat_value(stat, "total_inactive_file"));
}

/// Returns whether `controller` is in a comma-separated list of controllers.
bool names_controller(std::string_view controllers, std::string_view controller) {
  while (!controllers.empty()) {
    const std::size_t comma = controllers.find(',');
    if (controllers.substr(0, comma) == controller) return true;
    controllers.remove_prefix(comma == std::string_view::npos ? controllers.size() : comma + 1);
  }
  return false;
}

}  // namespace

std::optional<Bytes> parse_mem_available(std::string_view meminfo) {
  return parse_status_field(meminfo, "MemAvailable");
}

std::vector<fs::path> cgroup_folders(std::string_view self_cgroup, std::string_view controller) {
  std::vector<fs::path> folders;
  const auto add_with_parents = [&](const fs::path& mount, fs::path group) {
    for (; group.has_relative_path(); group = group.parent_path()) folders.push_back(mount / group.relative_path());
    folders.push_back(mount);  // in a container the limit is often set at the mount itself
  };
  while (!self_cgroup.empty()) {
    const std::size_t end = self_cgroup.find('\n');
    const std::string_view line = self_cgroup.substr(0, end);
    self_cgroup.remove_prefix(end == std::string_view::npos ? self_cgroup.size() : end + 1);
    // A line is "ID:CONTROLLERS:GROUP"; version 2 has no controllers.
    const std::size_t colon = line.find(':');
    const std::size_t second_colon = colon == std::string_view::npos ? colon : line.find(':', colon + 1);
    if (second_colon == std::string_view::npos) continue;
    const std::string_view controllers = line.substr(colon + 1, second_colon - colon - 1);
    const fs::path group{line.substr(second_colon + 1)};
    if (controllers.empty())
      add_with_parents("sys/fs/cgroup", group);
    else if (names_controller(controllers, controller))
      add_with_parents(fs::path{"sys/fs/cgroup"} / controller, group);
  }
  return folders;
}

Bytes available_memory(const fs::path& root) {
  Bytes available = parse_mem_available(read_small_file(root / "proc/meminfo")).value_or(Bytes{});
  for (const fs::path& folder : cgroup_folders(read_small_file(root / "proc/self/cgroup"), "memory")) {
    if (const auto left = remaining_in_group(root / folder)) available = std::min(available, *left);
  }
  return available;
}

Bytes total_memory(const fs::path& root) {
  return parse_status_field(read_small_file(root / "proc/meminfo"), "MemTotal").value_or(Bytes{});
}

std::optional<Bytes> cgroup_memory_limit(const fs::path& root) {
  std::optional<Bytes> tightest;
  for (const fs::path& folder : cgroup_folders(read_small_file(root / "proc/self/cgroup"), "memory")) {
    for (const char* name : {"memory.max", "memory.high", "memory.limit_in_bytes"}) {
      const auto limit = bytes_in(root / folder / name);
      if (limit && (!tightest || *limit < *tightest)) tightest = limit;
    }
  }
  // Version 1 reports a number near 2^63 if there is no limit.
  return tightest && *tightest < total_memory(root) ? tightest : std::nullopt;
}

}  // namespace weir
