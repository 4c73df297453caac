#include "nn/vulkan/gpu.hpp"

#include <utility>

namespace weir::nn::vulkan {

Result<std::shared_ptr<const Gpu>> find_gpu(std::string_view selector, compute::vulkan::Validation validation) {
  auto instance = compute::vulkan::Instance::create(validation);
  if (!instance) return instance.error();
  auto devices = compute::vulkan::list_devices(**instance);
  const auto choice = compute::vulkan::choose_device(devices, selector);
  if (!choice) return choice.error();
  return std::make_shared<const Gpu>(
      Gpu{*std::move(instance), std::move(devices[choice->index]), choice->software_by_default});
}

}  // namespace weir::nn::vulkan
