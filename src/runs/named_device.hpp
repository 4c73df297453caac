#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "jobs/device.hpp"

namespace weir::runs {

/// A device that is to do work, in the words of whoever asks for it.
struct NamedDevice {
  std::string name = "cpu";  ///< "cpu", "cpu:0-3", or what names a GPU
  std::vector<int> cpus;     ///< of the CPU; empty: all that are allowed
  bool is_gpu() const { return name != "cpu" && !name.starts_with("cpu:"); }
};

/// A worker for each device. GPUs are not looked up yet (tasks::reach_gpus). `threads` empty: as many as each has processors
/// for; `vram`: the most of a GPU's memory, zero: what it has free.
/// Errors: invalid_argument for processors that are not allowed.
Result<std::vector<jobs::WorkerDevice>> make_worker_devices(const std::vector<NamedDevice>& named,
                                                            std::optional<int> threads, Bytes vram);

}  // namespace weir::runs
