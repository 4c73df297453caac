#pragma once

// Made-up items, estimates and devices for tests of the coordinator's parts. These tests start no process.

#include <string>
#include <vector>

#include "jobs/device.hpp"
#include "jobs/retry_policy.hpp"
#include "jobs/task.hpp"

namespace weir::jobs::test {

/// A made-up current time for tests, late enough to subtract durations from it.
inline const Clock::time_point kTestStart = Clock::time_point{} + std::chrono::hours{1};

/// Returns `count` items that need no files.
inline std::vector<Item> made_up_items(std::size_t count) {
  std::vector<Item> items;
  for (std::size_t i = 0; i < count; ++i)
    items.push_back({.task = "fake", .inputs = {}, .outputs = {"out/" + std::to_string(i)}, .parameters = "{}"});
  return items;
}

inline Estimate made_up_estimate(double cost, Bytes output = {}, Bytes ram = 1_MiB) {
  Estimate estimate{.cost = cost, .ram = ram, .output = output};
  estimate.input_size = "1x1";
  return estimate;
}

inline WorkerDevice made_up_device(const std::string& name, Bytes free = 1_GiB) {
  WorkerDevice device;
  device.name = name;
  device.identity = "id of " + name;
  device.free_memory = [free] { return free; };
  return device;
}

}  // namespace weir::jobs::test
