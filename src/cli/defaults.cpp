#include "cli/defaults.hpp"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "base/process_limits.hpp"
#include "base/system_cpus.hpp"
#include "base/system_memory.hpp"

namespace weir::cli {

Bytes effective_ram(const Arguments& args) {
  if (args.ram) return *args.ram;
  const Bytes free = available_memory();
  return Bytes{std::min(free, available_address_space().value_or(free)).count() / 2};
}

int effective_threads(const Arguments& args) {
  if (args.threads) return *args.threads;
  const auto& cores = args.devices.front().cpus;
  return usable_threads(cores.empty() ? allowed_cpus().size() : cores.size(), cpu_quota());
}

std::string effective_ram_text(const Arguments& args) { return fmt::format("{}M", effective_ram(args).count() >> 20); }
std::string effective_threads_text(const Arguments& args) { return fmt::format("{}", effective_threads(args)); }

}  // namespace weir::cli
