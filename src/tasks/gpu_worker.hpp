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

/// The GPU that a device name on the command line (the value of --device) refers to.
struct NamedGpu {
  std::string gpu_name;          ///< name of the GPU as its driver reports it, not the device name of the user
  std::string uuid;              ///< "GPU-..."
  std::string pci;               ///< "0000:01:00.0"; empty if the driver does not report it
  bool has_unique_uuid = false;  ///< no other GPU has this UUID
};

/// Finds the GPU in the same way as a worker process does (nn::vulkan::find_gpu). Works in a child process, because a
/// driver may hang or crash. `device_name`: the name on the command line, such as "gpu", "pci:0000:01:00.0" or a UUID.
/// `mask`: changes to the environment of the child. Errors: those of find_gpu; timed_out for a driver that hangs;
/// device_lost for a driver that crashes; io if the child cannot be started.
Result<NamedGpu> find_named_gpu(const std::string& device_name, const device::EnvironmentChanges& mask = {});

/// Makes the description of a worker process that uses exactly this GPU. Sets these fields of the WorkerDevice:
/// - `name`: `device_name`, the name on the command line,
/// - `environment`: the mask, environment variables that hide all other GPUs from the worker (device::make_mask()),
/// - `lease_key`: the name under which the GPU is leased,
/// - `arguments`: `--device` with the UUID of the GPU if it is unique, else with the PCI address; both are the same
///   under every mask,
/// - `identity`: the UUID and, if it is known, the PCI address that the worker must report.
/// A GPU that has neither a unique UUID nor a PCI address (one of several software devices) keeps `device_name` as its
/// `--device` argument. Such a GPU, and one that is not in `devices`, gets neither a mask nor a lease key. `devices`:
/// all devices of the machine. `set_variables`: the mask variables that are set in the environment of this process.
/// `notes` receives the notes of the mask. Pure function. Errors: invalid_argument if `set_variables` hide the GPU.
Result<jobs::WorkerDevice> make_gpu_worker(const std::string& device_name, const NamedGpu& gpu,
                                           std::span<const device::Device> devices,
                                           const device::MaskVariables& set_variables, std::vector<std::string>& notes);

/// Completes all entries of `workers` that are GPUs (is_gpu_name()) with the values of make_gpu_worker(); does nothing
/// if no entry is a GPU. If a worker would not find its GPU under its mask, removes the variables for Vulkan from the
/// mask. Takes some tenths of a second. `notes` receives messages about the masks. Errors: those of find_named_gpu()
/// and make_gpu_worker(); invalid_argument if two entries have the same lease key, since they are the same GPU.
Status resolve_gpus(std::vector<jobs::WorkerDevice>& workers, std::vector<std::string>& notes);

/// Returns true if a device name on the command line refers to a GPU, and not to processors ("cpu", "cpu:0-3").
bool is_gpu_name(const std::string& device_name);

}  // namespace weir::tasks
