#include "compute/vulkan/meters.hpp"

#include <optional>
#include <utility>

#include "compute/vulkan/instance.hpp"

namespace weir::compute::vulkan {

using memory::MeterLayer;
using memory::Side;

std::shared_ptr<const memory::Meter> make_pool_meter(const BufferPool& pool, const DeviceInfo& device) {
  const Side side = device.kind == DeviceKind::software ? Side::host : Side::device;
  return memory::make_counter_meter("weir's Vulkan pool", side, MeterLayer::allocator,
                                    [&pool] { return std::optional{pool.statistics().in_use}; });
}

std::shared_ptr<const memory::Meter> make_budget_meter(std::shared_ptr<const Instance> instance,
                                                       const DeviceInfo& device) {
  if (!device.has_memory_budget || device.kind == DeviceKind::software) return nullptr;
  return memory::make_counter_meter("Vulkan budget", Side::device, MeterLayer::system,
                                    [instance = std::move(instance), handle = device.handle] {
                                      Bytes used;
                                      for (const Heap& heap : read_heaps(handle, /*has_memory_budget=*/true)) {
                                        if (heap.device_local) used += heap.used;
                                      }
                                      return std::optional{used};
                                    });
}

}  // namespace weir::compute::vulkan
