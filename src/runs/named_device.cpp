#include "runs/named_device.hpp"

#include <utility>

#include "base/system_cpus.hpp"

namespace weir::runs {

Result<std::vector<jobs::WorkerDevice>> worker_devices(const std::vector<NamedDevice>& named,
                                                       std::optional<int> threads, Bytes vram) {
  std::vector<jobs::WorkerDevice> devices;
  for (const NamedDevice& each : named) {
    const std::size_t cores = each.cores.empty() ? allowed_cpus().size() : each.cores.size();
    auto device = jobs::cpu_device(each.name, each.cores, threads.value_or(usable_threads(cores, cpu_quota())));
    if (!device) return device.error();
    if (each.is_gpu()) {
      device->identity.clear();  // until tasks::reach_gpus() has found it
      device->vram = vram;
    }
    devices.push_back(*std::move(device));
  }
  return devices;
}

}  // namespace weir::runs
