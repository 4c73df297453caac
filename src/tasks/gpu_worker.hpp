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

/// A GPU that a name of the command line leads to.
struct NamedGpu {
  std::string driver_name;       ///< as the driver calls it
  std::string uuid;              ///< "GPU-..."
  std::string pci;               ///< "0000:01:00.0"; empty if the driver does not say
  bool has_unique_uuid = false;  ///< its UUID is no other device's
};

/// Looks the name up as a worker does (nn::vulkan::find_gpu), in a child process that sees `mask`: this process opens no
/// driver. Errors: those of find_gpu; timed_out and device_lost for a driver that hangs or dies.
Result<NamedGpu> find_named_gpu(const std::string& name, const device::EnvironmentChanges& mask = {});

/// How a worker reaches that GPU and no other, and what it must prove: the masks of all stacks within those that are set,
/// the lease, and as its word the UUID or the PCI address, which no mask renumbers. A device that neither tells from
/// another (copies of a software driver) keeps the name as it was written, and has neither masks nor a lease. A pure
/// function. Errors: invalid_argument if a mask that is set hides the device.
Result<jobs::WorkerDevice> make_gpu_worker(const std::string& name, const NamedGpu& gpu,
                                           std::span<const device::Device> devices,
                                           const device::MaskVariables& set_variables, std::vector<std::string>& notes);

/// Fills in all `devices` that are GPUs: looks at the machine once and makes sure that each worker will see its device
/// under its masks. Takes some tenths of a second. `notes` gets what a mask cannot do. Errors: those above;
/// invalid_argument if two names lead to one card.
Status resolve_gpus(std::vector<jobs::WorkerDevice>& workers, std::vector<std::string>& notes);

/// Whether a name of the command line means a GPU.
bool is_gpu_name(const std::string& device);

}  // namespace weir::tasks
