#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"

namespace weir::jobs {

/// One device of a run, as the coordinator sees it: how to start a worker that can reach nothing else, and what that worker
/// must prove. Whoever knows a kind of device fills it in; the coordinator opens none.
struct WorkerDevice {
  std::string name;  ///< as the user wrote it and as it stands in messages and metrics: "cpu:0-3", "GPU-1234"
  /// What the worker must prove: "cpu:0,1,2,3", a UUID, a PCI address. Empty: not known before a worker has said it; every
  /// later worker must prove the same.
  std::string identity;
  /// Masks, set before the worker's program starts; an empty value removes the variable.
  std::vector<std::pair<std::string, std::string>> environment;
  std::vector<std::string> arguments;  ///< for `weir worker`
  int threads = 1;
  /// Its lease (device::lease_key), which the worker takes before it proves its device, and holds while it lives. Empty: none.
  std::string lease_key;
  Bytes vram;                          ///< the most that the worker may take on it; zero for the CPU
  std::string memory_name = "system";  ///< devices with the same word share one memory
  std::function<Bytes()> free_memory;  ///< of the memory that items on it need, now; callable at any time
};

/// In a worker: binds the process to the device that `weir worker --device` names and tells which one it truly is.
/// Errors: unsupported, device_lost, invalid_argument.
using BindDevice = std::function<Result<std::string>(const std::string& device)>;

/// The processors `cores` (empty: all that are allowed). Its memory is the system's; the masks are a set of processors.
/// Errors: invalid_argument for cores that are not allowed.
Result<WorkerDevice> cpu_device(const std::string& name, std::vector<int> cpus, int threads);

/// Binds this process to a device whose name is "cpu" or "cpu:LIST", asks the system where it may run, and says so as
/// "cpu:0,1,2". Errors: invalid_argument.
Result<std::string> bind_cpu(const std::string& device);

}  // namespace weir::jobs
