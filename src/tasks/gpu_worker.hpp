#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "device/child_probe.hpp"
#include "device/device.hpp"
#include "device/mask.hpp"
#include "jobs/device.hpp"

namespace weir::tasks {

/// The GPU that a device name on the command line refers to.
struct NamedGpu {
  std::string gpu_name;          ///< the driver's name of the GPU
  std::string uuid;              ///< "GPU-..."
  std::string pci;               ///< "0000:01:00.0"; empty if the driver does not report it
  bool has_unique_uuid = false;  ///< no other GPU has this UUID
};

/// Finds the GPU with this name in the same way as a worker process does (nn::vulkan::find_gpu), in a child process
/// with the changes `mask` to its environment, because a driver may hang or crash. Errors: those of find_gpu; timed_out
/// for a driver that hangs; device_lost for a driver that crashes.
Result<NamedGpu> find_named_gpu(const std::string& device_name, const device::EnvironmentChanges& mask = {});

/// Makes the description of a worker process that uses exactly this GPU:
/// - `environment`: the mask, environment variables that hide all other GPUs from the worker (device::make_mask()),
/// - `lease_key`: the name under which the GPU is leased,
/// - `arguments`: `--device` with the UUID or the PCI address of the GPU, which are the same under every mask,
/// - `identity`: the UUID and the PCI address that the worker must report.
/// A GPU that has neither a unique UUID nor a PCI address (one of several software devices) keeps `name` as its
/// `--device` argument. Such a GPU, and one that is not in `devices`, gets neither a mask nor a lease key. `devices`:
/// all devices of the machine. `set_variables`: the mask variables that are set already. `notes` receives the notes of
/// the mask. Pure function. Errors: invalid_argument if `set_variables` hide the GPU.
Result<jobs::WorkerDevice> make_gpu_worker(const std::string& device_name, const NamedGpu& gpu,
                                           std::span<const device::Device> devices,
                                           const device::MaskVariables& set_variables, std::vector<std::string>& notes);

/// Completes all entries of `workers` that are GPUs with the values of make_gpu_worker(). If a worker would not find
/// its GPU under its mask, removes the variables for Vulkan from the mask. Takes some tenths of a second. `notes`
/// receives messages about the masks. Errors: those of find_named_gpu() and make_gpu_worker(); invalid_argument if two
/// names refer to one GPU.
Status resolve_gpus(std::vector<jobs::WorkerDevice>& workers, std::vector<std::string>& notes);

/// Returns true if a device name on the command line refers to a GPU, and not to processors ("cpu", "cpu:0-3").
bool is_gpu_name(const std::string& device_name);

}  // namespace weir::tasks
