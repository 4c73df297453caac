#include "jobs/device.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/system_cpus.hpp"
#include "base/system_memory.hpp"
#include "base/text.hpp"

namespace weir::jobs {
namespace {

constexpr std::string_view kCpu = "cpu";

std::string cpu_identity(const std::vector<int>& cpus) { return fmt::format("cpu:{}", fmt::join(cpus, ",")); }

}  // namespace

Result<WorkerDevice> cpu_device(const std::string& name, std::vector<int> cpus, int threads) {
  const std::vector<int> allowed = allowed_cpus();
  if (cpus.empty()) cpus = allowed;
  if (!std::includes(allowed.begin(), allowed.end(), cpus.begin(), cpus.end()))
    return Error{Errc::invalid_argument, fmt::format("{}: not all of these processors are allowed here; allowed are {}",
                                                     printable(name), fmt::join(allowed, ","))};
  WorkerDevice device;
  device.name = name;
  device.identity = cpu_identity(cpus);
  device.arguments = {"--device", device.identity};
  device.threads = threads;
  device.free_memory = [] { return available_memory(); };
  return device;
}

Result<std::string> bind_cpu(const std::string& device) {
  if (device != kCpu && !device.starts_with("cpu:"))
    return Error{Errc::invalid_argument, fmt::format("'{}' is not a processor list", printable(device))};
  if (device != kCpu) {
    const auto cpus = parse_cpu_list(std::string_view{device}.substr(kCpu.size() + 1));
    if (!cpus) return cpus.error();
    if (auto bound = bind_to_cpus(*cpus); !bound) return bound.error();
  }
  return cpu_identity(allowed_cpus());
}

}  // namespace weir::jobs
