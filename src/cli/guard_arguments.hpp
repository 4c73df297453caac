#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "tasks/device_choice.hpp"
#include "tasks/variants.hpp"

namespace weir::cli {

/// Values of flags and settings of the commands that lease devices (`weir run`, `lease`, `leak`, ...). A lease is the
/// right to use a device, which programs grant each other through lock files. A field without a comment has the name of
/// its flag; the help text of the flag explains it (cli/guard_flags.cpp).
struct GuardArguments {
  std::string role;  ///< role whose settings apply: [roles.NAME] of weir.toml
  std::vector<std::string> device, allow, deny, prefer;
  std::optional<Bytes> min_memory, need;
  bool cuda_index = false;  ///< --cuda-names index: name NVIDIA cards by index in CUDA_VISIBLE_DEVICES
  std::string torch_allocator = device::kTorchAllocatorSettings;
  bool trust_unknown = false;
  bool strict_device = false;

  std::chrono::milliseconds wait = std::chrono::seconds{1800};
  int slots = 0;  ///< 0: exclusive lease; N: shared lease with at most N holders
  std::string job;

  std::vector<tasks::Variant> variants;
  int retries = 0;
  int jobs = 1, gpu_jobs = 1;
  bool gpu_inside = false;  ///< --gpu inside: the commands of a run take the lease themselves
  bool resume = false;
  bool end_orphans = false;
  std::chrono::milliseconds grace = std::chrono::seconds{5};
  std::string junit;
  std::optional<std::chrono::milliseconds> time_limit;  ///< --timeout

  int runs = 3;
  Bytes max_leak = 100_MiB;
  std::string profile;  ///< name of a Profile; empty: none
  Bytes max_fragmentation = 1_GiB;
  std::string report;  ///< file of the Markdown report
};

/// Returns true if --device, --allow, --need or --min-memory is given, as a flag or as a setting. The command must then
/// not run without a device.
bool requires_device(const GuardArguments& args);

/// Converts the flags to the request for a device.
tasks::DeviceRequest make_device_request(const GuardArguments& args);

/// Warns on standard error about drivers that hung while the devices were listed. A command calls it if it continues
/// without the devices of these drivers. Prints nothing if `quiet` is true.
void warn_unanswered_drivers(const tasks::Machine& machine, bool quiet);

}  // namespace weir::cli
