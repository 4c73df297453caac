#include "compute/vulkan/instance.hpp"

#include <algorithm>
#include <cstdlib>
#include <mutex>
#include <string_view>

#include "base/version.hpp"
#include "compute/vulkan/manifests.hpp"
#include "compute/vulkan/result.hpp"
#include "compute/vulkan/typed.hpp"

namespace weir::compute::vulkan {

namespace {

constexpr const char* kLayer = "VK_LAYER_KHRONOS_validation";
constexpr std::size_t kMostMessages = 100;

bool layer_is_there() {
  std::uint32_t count = 0;
  if (vkEnumerateInstanceLayerProperties(&count, nullptr) != VK_SUCCESS) return false;
  std::vector<VkLayerProperties> layers(count);
  if (vkEnumerateInstanceLayerProperties(&count, layers.data()) != VK_SUCCESS) return false;
  return std::any_of(layers.begin(), layers.end(),
                     [](const VkLayerProperties& layer) { return std::string_view{layer.layerName} == kLayer; });
}

/// A manifest that cannot be parsed must not keep the drivers of the others from work.
VkResult create_instance(const VkInstanceCreateInfo& info, VkInstance& handle) {
  const VkResult result = vkCreateInstance(&info, nullptr, &handle);
  if (result != VK_ERROR_OUT_OF_HOST_MEMORY) return result;
  const std::string good = parsable(driver_manifests());
  const char* const set = std::getenv("VK_DRIVER_FILES");
  const std::string before = set != nullptr ? set : "";
  if (good.empty() || good == before) return result;
  // The loader reads it now and never again. Nothing else of weir runs while it looks for its devices.
  setenv("VK_DRIVER_FILES", good.c_str(), 1);
  const VkResult second = vkCreateInstance(&info, nullptr, &handle);
  if (set != nullptr)
    setenv("VK_DRIVER_FILES", before.c_str(), 1);
  else
    unsetenv("VK_DRIVER_FILES");
  return second;
}

/// volk's own state is one for the process.
std::mutex& volk_mutex() {
  static std::mutex mutex;
  return mutex;
}

}  // namespace

struct Instance::Messages {
  std::mutex mutex;
  std::vector<std::string> texts;

  static VKAPI_ATTR VkBool32 VKAPI_CALL take(VkDebugUtilsMessageSeverityFlagBitsEXT, VkDebugUtilsMessageTypeFlagsEXT,
                                             const VkDebugUtilsMessengerCallbackDataEXT* data, void* self) {
    auto& messages = *static_cast<Messages*>(self);
    const std::scoped_lock lock{messages.mutex};
    if (messages.texts.size() < kMostMessages) messages.texts.emplace_back(data->pMessage);
    return VK_FALSE;
  }
};

Instance::Instance() : messages_{std::make_unique<Messages>()} {}

Result<std::shared_ptr<Instance>> Instance::create(Validation validation) {
  const std::scoped_lock lock{volk_mutex()};
  if (volkInitialize() != VK_SUCCESS)
    return Error{Errc::unsupported, "Vulkan: libvulkan.so.1 is not installed (Debian: apt-get install libvulkan1)"};
  const std::shared_ptr<Instance> instance{new Instance};
  if (auto started = instance->start(validation); !started) return started.error();
  return instance;
}

Status Instance::start(Validation validation) {
  auto application = typed<VkApplicationInfo>(VK_STRUCTURE_TYPE_APPLICATION_INFO);
  application.pApplicationName = "weir";
  application.pEngineName = "weir";
  application.apiVersion = VK_API_VERSION_1_2;
  auto info = typed<VkInstanceCreateInfo>(VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO);
  info.pApplicationInfo = &application;

  auto listen = typed<VkDebugUtilsMessengerCreateInfoEXT>(VK_STRUCTURE_TYPE_DEBUG_UTILS_MESSENGER_CREATE_INFO_EXT);
  listen.messageSeverity =
      VK_DEBUG_UTILS_MESSAGE_SEVERITY_WARNING_BIT_EXT | VK_DEBUG_UTILS_MESSAGE_SEVERITY_ERROR_BIT_EXT;
  listen.messageType = VK_DEBUG_UTILS_MESSAGE_TYPE_VALIDATION_BIT_EXT;
  listen.pfnUserCallback = Messages::take;
  listen.pUserData = messages_.get();
  const std::vector<VkValidationFeatureEnableEXT> wanted =
      validation == Validation::gpu_assisted
          ? std::vector{VK_VALIDATION_FEATURE_ENABLE_SYNCHRONIZATION_VALIDATION_EXT,
                        VK_VALIDATION_FEATURE_ENABLE_GPU_ASSISTED_EXT,
                        VK_VALIDATION_FEATURE_ENABLE_GPU_ASSISTED_RESERVE_BINDING_SLOT_EXT}
          : std::vector{VK_VALIDATION_FEATURE_ENABLE_SYNCHRONIZATION_VALIDATION_EXT};
  auto features = typed<VkValidationFeaturesEXT>(VK_STRUCTURE_TYPE_VALIDATION_FEATURES_EXT);
  features.enabledValidationFeatureCount = static_cast<std::uint32_t>(wanted.size());
  features.pEnabledValidationFeatures = wanted.data();
  const char* extension = VK_EXT_DEBUG_UTILS_EXTENSION_NAME;
  if (validation != Validation::none) {
    if (!layer_is_there())
      return Error{Errc::unsupported, "Vulkan: the validation layer is not installed (vulkan-validationlayers)"};
    info.enabledLayerCount = 1;
    info.ppEnabledLayerNames = &kLayer;
    info.enabledExtensionCount = 1;
    info.ppEnabledExtensionNames = &extension;
    info.pNext = &listen;
    if (validation != Validation::core) listen.pNext = &features;
  }
  if (const VkResult result = create_instance(info, handle_); result != VK_SUCCESS) {
    handle_ = VK_NULL_HANDLE;
    if (result == VK_ERROR_INCOMPATIBLE_DRIVER) return Error{Errc::unsupported, "Vulkan: no driver is installed"};
    return error_of(result, "Vulkan: create an instance");
  }
  volkLoadInstanceOnly(handle_);
  if (validation == Validation::none) return ok();
  listen.pNext = nullptr;
  if (const VkResult result = vkCreateDebugUtilsMessengerEXT(handle_, &listen, nullptr, &messenger_);
      result != VK_SUCCESS)
    return error_of(result, "Vulkan: listen to the validation layer");
  return ok();
}

Instance::~Instance() {
  if (messenger_ != VK_NULL_HANDLE) vkDestroyDebugUtilsMessengerEXT(handle_, messenger_, nullptr);
  if (handle_ != VK_NULL_HANDLE) vkDestroyInstance(handle_, nullptr);
}

std::vector<std::string> Instance::messages() const {
  const std::scoped_lock lock{messages_->mutex};
  return messages_->texts;
}

}  // namespace weir::compute::vulkan
