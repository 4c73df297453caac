#include "base/system_cpus.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <set>
#include <sstream>
#include <string>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sched.h>
#include <unistd.h>

#include "base/small_file.hpp"
#include "base/system_memory.hpp"
#include "base/text.hpp"

namespace weir {
namespace {

constexpr int kMaxCpus = CPU_SETSIZE;  // 1024; sched_setaffinity(2)

/// Returns the limit of one control group as a number of processors; empty if it has none. Source: cgroup-v2.rst and
/// scheduler/sched-bwc.rst of the Linux kernel's documentation.
std::optional<double> quota_of(const std::filesystem::path& folder) {
  std::istringstream fields{read_small_file(folder / "cpu.max")};  // version 2: "max 100000" or "150000 100000"
  double quota = 0;
  double period = 0;
  if (fields >> quota >> period && period > 0 && quota > 0) return quota / period;
  // version 1: -1 in the first file means no limit
  std::istringstream v1_quota{read_small_file(folder / "cpu.cfs_quota_us")};
  std::istringstream v1_period{read_small_file(folder / "cpu.cfs_period_us")};
  if (v1_quota >> quota && v1_period >> period && period > 0 && quota > 0) return quota / period;
  return std::nullopt;
}

Error bad_list(std::string_view text) {
  return {Errc::invalid_argument,
          fmt::format("'{}' is not a list of processors; write 0-3 or 0,2,4-5", printable(text))};
}

}  // namespace

int online_cpus() { return static_cast<int>(std::max(1L, ::sysconf(_SC_NPROCESSORS_ONLN))); }

std::vector<int> allowed_cpus() {
  cpu_set_t set;
  CPU_ZERO(&set);
  std::vector<int> cpus;
  if (sched_getaffinity(0, sizeof set, &set) == 0) {
    for (int cpu = 0; cpu < kMaxCpus; ++cpu) {
      if (CPU_ISSET(cpu, &set)) cpus.push_back(cpu);
    }
  }
  if (cpus.empty()) cpus.push_back(0);
  return cpus;
}

Status bind_to_cpus(const std::vector<int>& cpus) {
  const std::vector<int> allowed = allowed_cpus();
  std::vector<int> missing;
  std::set_difference(cpus.begin(), cpus.end(), allowed.begin(), allowed.end(), std::back_inserter(missing));
  cpu_set_t set;
  CPU_ZERO(&set);
  for (const int cpu : cpus) CPU_SET(cpu, &set);
  if (missing.empty() && sched_setaffinity(0, sizeof set, &set) == 0) return ok();
  return Error{Errc::invalid_argument,
               fmt::format("processors {} are not allowed here; allowed are {}",
                           fmt::join(missing.empty() ? cpus : missing, ","), fmt::join(allowed, ","))};
}

Result<std::vector<int>> parse_cpu_list(std::string_view text) {
  std::set<int> cpus;
  std::string_view rest = text;
  do {
    const std::size_t comma = rest.find(',');
    const std::string_view part = rest.substr(0, comma);
    rest.remove_prefix(comma == std::string_view::npos ? rest.size() : comma + 1);
    if (comma != std::string_view::npos && rest.empty()) return bad_list(text);
    const std::size_t dash = part.find('-');
    const auto first = parse_integer(part.substr(0, dash), 0, kMaxCpus - 1);
    const auto last = dash == std::string_view::npos ? first : parse_integer(part.substr(dash + 1), 0, kMaxCpus - 1);
    if (!first || !last || *last < *first) return bad_list(text);
    for (int cpu = *first; cpu <= *last; ++cpu) cpus.insert(cpu);
  } while (!rest.empty());
  return std::vector<int>(cpus.begin(), cpus.end());
}

std::optional<double> cpu_quota(const std::filesystem::path& root) {
  std::optional<double> smallest;
  for (const auto& folder : cgroup_folders(read_small_file(root / "proc/self/cgroup"), "cpu")) {
    const auto quota = quota_of(root / folder);
    if (quota && (!smallest || *quota < *smallest)) smallest = quota;
  }
  return smallest;
}

int usable_threads(std::size_t cpus, std::optional<double> quota) {
  const int count = static_cast<int>(std::clamp<std::size_t>(cpus, 1, kMaxCpus));
  if (!quota) return count;
  return std::clamp(static_cast<int>(std::ceil(*quota)), 1, count);
}

}  // namespace weir
