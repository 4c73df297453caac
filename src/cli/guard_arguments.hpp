#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "tasks/device_choice.hpp"
#include "tasks/variants.hpp"

namespace weir::cli {

/// The words of the commands that guard devices.
struct GuardArguments {
  std::string role;  ///< whose settings are taken: [roles.NAME] of weir.toml
  std::vector<std::string> device, allow, deny, prefer;
  std::optional<Bytes> min_memory, need;
  bool cuda_index = false;  ///< name NVIDIA cards by index
  std::string torch_allocator = device::kTorchAllocatorSettings;
  bool trust_unknown = false;
  bool strict_device = false;

  std::chrono::milliseconds wait = std::chrono::seconds{1800};
  int slots = 0;
  std::string job;

  std::vector<tasks::Variant> variants;
  int retries = 0;
  int jobs = 1, gpu_jobs = 1;
  bool gpu_inside = false;  ///< the commands of a run take the lease themselves
  bool resume = false;
  bool end_orphans = false;
  std::chrono::milliseconds grace = std::chrono::seconds{5};
  std::string junit;
  std::optional<std::chrono::milliseconds> time_limit;

  int runs = 3;
  Bytes max_leak = 100_MiB;
  std::string profile;  ///< name of a Profile; empty: none
  Bytes max_fragmentation = 1_GiB;
  std::string report;  ///< file for the Markdown report
};

/// Whether the words demand a device, so that work which could do without one must not.
bool requires_device(const GuardArguments& args);

tasks::DeviceRequest make_device_request(const GuardArguments& args);

/// Says on standard error which drivers do not answer, for a command that goes on all the same.
void warn_unanswered_drivers(const tasks::Machine& machine, bool quiet);

}  // namespace weir::cli
