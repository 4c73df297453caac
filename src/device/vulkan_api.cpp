#include "device/vulkan_api.hpp"

#include <type_traits>

#include <fmt/format.h>

namespace weir::device {

Result<VulkanInstance> VulkanInstance::create() {
  const auto library = SharedLibrary::open("libvulkan.so.1");
  if (!library) return library.error();
  std::remove_pointer_t<PFN_vkGetInstanceProcAddr>* get = nullptr;
  if (!library->find("vkGetInstanceProcAddr", get)) return Error{Errc::unsupported, "Vulkan: the loader is damaged"};
  const auto create = reinterpret_cast<PFN_vkCreateInstance>(get(nullptr, "vkCreateInstance"));
  if (create == nullptr) return Error{Errc::unsupported, "Vulkan: the loader is damaged"};
  VkApplicationInfo application{};
  application.sType = VK_STRUCTURE_TYPE_APPLICATION_INFO;
  application.apiVersion = VK_API_VERSION_1_1;
  VkInstanceCreateInfo info{};
  info.sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO;
  info.pApplicationInfo = &application;
  VkInstance instance = nullptr;
  const VkResult made = create(&info, nullptr, &instance);
  if (made == VK_ERROR_INCOMPATIBLE_DRIVER) return Error{Errc::unsupported, "Vulkan: no driver is installed"};
  if (made != VK_SUCCESS)
    return Error{Errc::unsupported, fmt::format("Vulkan: vkCreateInstance fails ({})", static_cast<int>(made))};
  const auto destroy = reinterpret_cast<PFN_vkDestroyInstance>(get(instance, "vkDestroyInstance"));
  return VulkanInstance{get, instance, destroy};
}

std::vector<VkPhysicalDevice> VulkanInstance::physical_devices() const {
  const auto enumerate = find<PFN_vkEnumeratePhysicalDevices>("vkEnumeratePhysicalDevices");
  std::uint32_t count = 0;
  if (enumerate == nullptr || enumerate(instance_.get(), &count, nullptr) != VK_SUCCESS) return {};
  std::vector<VkPhysicalDevice> devices(count);
  // Errors are below VK_SUCCESS. VK_INCOMPLETE, which is above, means that a device was added between the two calls.
  if (enumerate(instance_.get(), &count, devices.data()) < VK_SUCCESS) return {};
  devices.resize(count);
  return devices;
}

}  // namespace weir::device
