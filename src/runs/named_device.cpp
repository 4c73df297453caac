#include "runs/named_device.hpp"

#include <utility>

#include "base/system_cpus.hpp"

namespace weir::runs {

Result<std::vector<jobs::WorkerDevice>> make_worker_devices(const std::vector<NamedDevice>& named,
                                                            std::optional<int> threads, Bytes vram) {
  std::vector<jobs::WorkerDevice> devices;
  for (const NamedDevice& each : named) {
    const std::size_t cpu_count = each.cpus.empty() ? allowed_cpus().size() : each.cpus.size();
    auto device = jobs::cpu_device(each.name, each.cpus, threads.value_or(usable_threads(cpu_count, cpu_quota())));
    if (!device) return device.error();
    if (each.is_gpu()) {         // a GPU worker uses the CPU settings above for its main memory and threads
      device->identity.clear();  // unknown until tasks::resolve_gpus() has found the GPU
      device->vram = vram;
    }
    devices.push_back(*std::move(device));
  }
  return devices;
}

}  // namespace weir::runs
