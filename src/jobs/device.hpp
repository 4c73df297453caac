#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"

namespace weir::jobs {

/// One device of a run, for the coordinator: how to start a worker that can use only this device, and which identity
/// the worker must report. A mask is a set of environment variables that hides all other devices from the worker.
struct WorkerDevice {
  std::string name;  ///< the name that the user gave, used in messages and metrics: "cpu:0-3", "GPU-1234"
  /// The identity that the worker must report, such as "cpu:0,1,2,3", or UUID and PCI address of a GPU. Empty: not
  /// known until the first worker reports it; every later worker must report the same.
  std::string identity;
  /// The mask: names and values, set before the worker's program starts. An empty value removes the variable.
  std::vector<std::pair<std::string, std::string>> environment;
  std::vector<std::string> arguments;  ///< arguments for `weir worker`
  int threads = 1;                     ///< number of threads that the worker may use
  /// The key of the device's lease (device::lease_key). The worker acquires the lease before it opens the device and
  /// holds it until it ends. Empty: no lease.
  std::string lease_key;
  Bytes vram;                          ///< limit of the worker's memory on the device; zero: no limit, or the CPU
  std::string memory_name = "system";  ///< name of the main memory that the worker uses; equal names: one memory
  std::function<Bytes()> free_memory;  ///< returns the free bytes of that memory; callable at any time
};

/// Runs in a worker: binds the process to `device`, the value of `weir worker --device`, and returns the identity of
/// the device that the process really uses. Errors: unsupported, device_lost, invalid_argument.
using BindDevice = std::function<Result<std::string>(const std::string& device)>;

/// Makes a device of the CPU. `name`: WorkerDevice::name. `cpus`: numbers of its processors in ascending order; empty:
/// all that this process may use. `threads`: WorkerDevice::threads. Errors: invalid_argument for processors that this
/// process may not use.
Result<WorkerDevice> cpu_device(const std::string& name, std::vector<int> cpus, int threads);

/// Binds this process to the processors in `device`, such as "cpu:0-2"; "cpu" changes nothing. Returns the processors
/// that the system then allows, as "cpu:0,1,2". Errors: invalid_argument, and those of bind_to_cpus().
Result<std::string> bind_cpu(const std::string& device);

}  // namespace weir::jobs
