#include "device/fdinfo.hpp"

#include <algorithm>
#include <charconv>
#include <set>
#include <system_error>
#include <utility>

#include "base/small_file.hpp"

namespace weir::device {
namespace {

namespace fs = std::filesystem;

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t' || text.back() == '\r')) text.remove_suffix(1);
  return text;
}

/// Parses "23992 KiB", "16 MiB" or "4096"; units are powers of 1024.
std::uint64_t parse_amount(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (problem != std::errc{}) return 0;
  const std::string_view unit = trimmed(text.substr(static_cast<std::size_t>(end - text.data())));
  const std::uint64_t factor = unit == "KiB" ? 1U << 10U : unit == "MiB" ? 1U << 20U : unit == "GiB" ? 1U << 30U : 1;
  return (Bytes{value} * factor).count();
}

/// Bytes by memory region, for the three kinds of keys (drm-total-, drm-memory-, drm-resident-), lowest priority first.
/// Kernel drivers differ in which of these keys they write.
struct Memory {
  std::map<std::string, Bytes, std::less<>> total, memory, resident;
};

/// Stores the value of one line in `info` or `memory`; ignores unknown keys.
void apply(std::string_view key, std::string_view value, FdInfo& info, Memory& memory) {
  const auto region = [&](std::string_view prefix) { return std::string{key.substr(prefix.size())}; };
  if (key == "drm-driver")
    info.driver = value;
  else if (key == "drm-pdev")
    info.pci = parse_pci_address(value);
  else if (key == "drm-client-id")
    info.client = parse_amount(value);
  else if (key.starts_with("drm-engine-capacity-"))
    return;  // the number of engines of a kind, which is no time
  else if (key.starts_with("drm-engine-"))
    info.engine_ns += parse_amount(value);
  else if (key.starts_with("drm-cycles-"))
    info.cycles += parse_amount(value);
  else if (key.starts_with("drm-resident-"))
    memory.resident[region("drm-resident-")] = Bytes{parse_amount(value)};
  else if (key.starts_with("drm-memory-"))
    memory.memory[region("drm-memory-")] = Bytes{parse_amount(value)};
  else if (key.starts_with("drm-total-") && !key.starts_with("drm-total-cycles-"))
    memory.total[region("drm-total-")] = Bytes{parse_amount(value)};
}

bool is_on_card(std::string_view region) { return region.starts_with("vram") || region.starts_with("local"); }

std::vector<pid_t> all_pids(const fs::path& proc) {
  std::vector<pid_t> pids;
  std::error_code problem;
  for (fs::directory_iterator at{proc, problem}, end; !problem && at != end; at.increment(problem)) {
    const std::string name = at->path().filename().native();
    pid_t pid = 0;
    const auto [rest, bad] = std::from_chars(name.data(), name.data() + name.size(), pid);
    if (bad == std::errc{} && rest == name.data() + name.size()) pids.push_back(pid);
  }
  std::sort(pids.begin(), pids.end());
  return pids;
}

/// Returns the fdinfo of the DRM devices that a process has open. `process`: its folder in /proc. Finds them by the
/// links in fd/, since reading every fdinfo file is slow. Sets `hidden` to true if this user may not read them.
std::vector<FdInfo> open_devices(const fs::path& process, bool& hidden) {
  std::vector<FdInfo> found;
  std::error_code problem;
  for (fs::directory_iterator at{process / "fd", problem}, end; !problem && at != end; at.increment(problem)) {
    std::error_code gone;
    const fs::path target = fs::read_symlink(at->path(), gone);
    hidden = hidden || gone == std::errc::permission_denied;
    if (gone || !target.native().starts_with("/dev/dri/")) continue;
    if (auto info = parse_fdinfo(read_small_file(process / "fdinfo" / at->path().filename()))) found.push_back(*info);
  }
  hidden = hidden || problem == std::errc::permission_denied;
  return found;
}

}  // namespace

std::optional<FdInfo> parse_fdinfo(std::string_view text) {
  FdInfo info;
  Memory memory;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos || !line.starts_with("drm-")) continue;
    apply(line.substr(0, colon), trimmed(line.substr(colon + 1)), info, memory);
  }
  if (info.driver.empty()) return std::nullopt;
  // merge() adds only regions that are not in the map yet, so the first map has priority.
  info.resident = std::move(memory.resident);
  info.resident.merge(memory.memory);
  info.resident.merge(memory.total);
  return info;
}

Bytes device_memory(const FdInfo& info) {
  Bytes card;
  Bytes shared;
  bool has_card = false;
  for (const auto& [region, bytes] : info.resident) {
    if (is_on_card(region)) {
      card += bytes;
      has_card = true;
    } else if (region.starts_with("system") || region.starts_with("gtt")) {
      shared += bytes;
    }
  }
  return has_card ? card : shared;
}

std::vector<ProcessUsage> read_process_usage(const fs::path& root, const std::vector<pid_t>& pids, bool* some_hidden) {
  std::set<std::pair<PciAddress, std::uint64_t>> counted_clients;
  std::vector<ProcessUsage> uses;
  // A /proc that is mounted with hidepid=2 lacks the processes of other users, the first one too.
  std::error_code ignored;
  bool hidden = pids.empty() && !fs::exists(root / "proc/1", ignored);
  for (const pid_t pid : pids.empty() ? all_pids(root / "proc") : pids) {
    for (const FdInfo& info : open_devices(root / "proc" / std::to_string(pid), hidden)) {
      if (!info.pci || !counted_clients.emplace(*info.pci, info.client).second) continue;
      auto use = std::find_if(uses.begin(), uses.end(),
                              [&](const ProcessUsage& other) { return other.pid == pid && other.pci == *info.pci; });
      if (use == uses.end()) use = uses.insert(uses.end(), {.pid = pid, .pci = *info.pci, .memory = {}});
      use->memory += device_memory(info);
      use->engine_ns += info.engine_ns;
      use->engine_used = use->engine_used || info.engine_ns > 0 || info.cycles > 0;
    }
  }
  if (some_hidden != nullptr) *some_hidden = hidden;
  return uses;
}

}  // namespace weir::device
