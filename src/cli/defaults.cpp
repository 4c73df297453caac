#include "cli/defaults.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>

#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/small_file.hpp"
#include "base/system_cpus.hpp"
#include "base/system_memory.hpp"

namespace weir::cli {

namespace {

/// The addresses that the limits of the process (ulimit -v) leave to it; empty if there is no limit.
std::optional<Bytes> addresses_left() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return std::nullopt;
  const std::string statm = read_small_file("/proc/self/statm");
  std::uint64_t pages = 0;
  std::from_chars(statm.data(), statm.data() + statm.size(), pages);
  return Bytes{limit.rlim_cur} - Bytes{pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE))};
}

}  // namespace

Bytes effective_ram(const Arguments& args) {
  if (args.ram) return *args.ram;
  const Bytes free = available_memory();
  return Bytes{std::min(free, addresses_left().value_or(free)).count() / 2};
}

int effective_threads(const Arguments& args) {
  if (args.threads) return *args.threads;
  const auto& cores = args.devices.front().cores;
  return usable_threads(cores.empty() ? allowed_cpus().size() : cores.size(), cpu_quota());
}

std::string default_ram(const Arguments& args) { return fmt::format("{}M", effective_ram(args).count() >> 20); }
std::string default_threads(const Arguments& args) { return fmt::format("{}", effective_threads(args)); }

}  // namespace weir::cli
