#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "jobs/device.hpp"

namespace weir::runs {

/// A device for work, as the user named it on the command line.
struct NamedDevice {
  std::string name = "cpu";  ///< "cpu", "cpu:0-3", or the name of a GPU
  std::vector<int> cpus;     ///< numbers of the processors in the name; empty: all that this process may use
  bool is_gpu() const { return name != "cpu" && !name.starts_with("cpu:"); }
};

/// Creates a worker device for each named device. A worker device of a GPU has no identity and no environment yet:
/// complete it with tasks::resolve_gpus(). `threads`: number of threads of each worker; empty: one per processor in
/// NamedDevice::cpus, or, if that is empty (a GPU, "cpu"), one per processor that this process may use; in both cases
/// not more than the control groups grant (usable_threads()). `vram`: memory limit on a GPU; zero: its free memory.
/// Errors: invalid_argument for processors that this process may not use.
Result<std::vector<jobs::WorkerDevice>> make_worker_devices(const std::vector<NamedDevice>& named,
                                                            std::optional<int> threads, Bytes vram);

}  // namespace weir::runs
