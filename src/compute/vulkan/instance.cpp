#include "compute/vulkan/instance.hpp"

#include <algorithm>
#include <cstdlib>
#include <mutex>
#include <string_view>

#include "base/version.hpp"
#include "compute/vulkan/driver_manifests.hpp"
#include "compute/vulkan/make_struct.hpp"
#include "compute/vulkan/result.hpp"

namespace weir::compute::vulkan {

namespace {

constexpr const char* kValidationLayer = "VK_LAYER_KHRONOS_validation";
constexpr std::size_t kMaxMessages = 100;

bool is_layer_installed() {
  std::uint32_t count = 0;
  if (vkEnumerateInstanceLayerProperties(&count, nullptr) != VK_SUCCESS) return false;
  std::vector<VkLayerProperties> layers(count);
  if (vkEnumerateInstanceLayerProperties(&count, layers.data()) != VK_SUCCESS) return false;
  return std::any_of(layers.begin(), layers.end(), [](const VkLayerProperties& layer) {
    return std::string_view{layer.layerName} == kValidationLayer;
  });
}

/// Creates the instance. If the loader fails because it cannot parse a manifest, tries again with the other manifests.
VkResult create_instance(const VkInstanceCreateInfo& info, VkInstance& handle) {
  const VkResult result = vkCreateInstance(&info, nullptr, &handle);
  if (result != VK_ERROR_OUT_OF_HOST_MEMORY) return result;  // see join_parsable()
  const std::string parsable = join_parsable(list_driver_manifests());
  const char* const variable = std::getenv("VK_DRIVER_FILES");
  const std::string old_value = variable != nullptr ? variable : "";
  if (parsable.empty() || parsable == old_value) return result;
  // The loader reads the variable only within vkCreateInstance(). No other thread of weir reads the environment while
  // weir lists its devices, so changing it is safe.
  setenv("VK_DRIVER_FILES", parsable.c_str(), 1);
  const VkResult second_result = vkCreateInstance(&info, nullptr, &handle);
  if (variable != nullptr)
    setenv("VK_DRIVER_FILES", old_value.c_str(), 1);
  else
    unsetenv("VK_DRIVER_FILES");
  return second_result;
}

/// Returns the mutex that protects the global state of volk (the library that loads Vulkan's functions).
std::mutex& volk_mutex() {
  static std::mutex mutex;
  return mutex;
}

}  // namespace

struct Instance::Messages {
  std::mutex mutex;
  std::vector<std::string> texts;

  static VKAPI_ATTR VkBool32 VKAPI_CALL add_message(VkDebugUtilsMessageSeverityFlagBitsEXT,
                                                    VkDebugUtilsMessageTypeFlagsEXT,
                                                    const VkDebugUtilsMessengerCallbackDataEXT* data, void* self) {
    auto& messages = *static_cast<Messages*>(self);
    const std::scoped_lock lock{messages.mutex};
    if (messages.texts.size() < kMaxMessages) messages.texts.emplace_back(data->pMessage);
    return VK_FALSE;
  }
};

Instance::Instance() : messages_{std::make_unique<Messages>()} {}

Result<std::shared_ptr<Instance>> Instance::create(Validation validation) {
  const std::scoped_lock lock{volk_mutex()};
  if (volkInitialize() != VK_SUCCESS)
    return Error{Errc::unsupported, "Vulkan: libvulkan.so.1 is not installed (Debian: apt-get install libvulkan1)"};
  const std::shared_ptr<Instance> instance{new Instance};
  if (auto started = instance->initialise(validation); !started) return started.error();
  return instance;
}

Status Instance::initialise(Validation validation) {
  auto application = make_struct<VkApplicationInfo>(VK_STRUCTURE_TYPE_APPLICATION_INFO);
  application.pApplicationName = "weir";
  application.pEngineName = "weir";
  application.apiVersion = VK_API_VERSION_1_2;
  auto info = make_struct<VkInstanceCreateInfo>(VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO);
  info.pApplicationInfo = &application;

  auto messenger =
      make_struct<VkDebugUtilsMessengerCreateInfoEXT>(VK_STRUCTURE_TYPE_DEBUG_UTILS_MESSENGER_CREATE_INFO_EXT);
  messenger.messageSeverity =
      VK_DEBUG_UTILS_MESSAGE_SEVERITY_WARNING_BIT_EXT | VK_DEBUG_UTILS_MESSAGE_SEVERITY_ERROR_BIT_EXT;
  messenger.messageType = VK_DEBUG_UTILS_MESSAGE_TYPE_VALIDATION_BIT_EXT;
  messenger.pfnUserCallback = Messages::add_message;
  messenger.pUserData = messages_.get();
  const std::vector<VkValidationFeatureEnableEXT> enabled =
      validation == Validation::gpu_assisted
          ? std::vector{VK_VALIDATION_FEATURE_ENABLE_SYNCHRONIZATION_VALIDATION_EXT,
                        VK_VALIDATION_FEATURE_ENABLE_GPU_ASSISTED_EXT,
                        VK_VALIDATION_FEATURE_ENABLE_GPU_ASSISTED_RESERVE_BINDING_SLOT_EXT}
          : std::vector{VK_VALIDATION_FEATURE_ENABLE_SYNCHRONIZATION_VALIDATION_EXT};
  auto features = make_struct<VkValidationFeaturesEXT>(VK_STRUCTURE_TYPE_VALIDATION_FEATURES_EXT);
  features.enabledValidationFeatureCount = static_cast<std::uint32_t>(enabled.size());
  features.pEnabledValidationFeatures = enabled.data();
  const char* extension = VK_EXT_DEBUG_UTILS_EXTENSION_NAME;
  if (validation != Validation::none) {
    if (!is_layer_installed())
      return Error{Errc::unsupported, "Vulkan: the validation layer is not installed (vulkan-validationlayers)"};
    info.enabledLayerCount = 1;
    info.ppEnabledLayerNames = &kValidationLayer;
    info.enabledExtensionCount = 1;
    info.ppEnabledExtensionNames = &extension;
    info.pNext = &messenger;  // so that messages of vkCreateInstance() itself are received too
    if (validation != Validation::core) messenger.pNext = &features;
  }
  if (const VkResult result = create_instance(info, handle_); result != VK_SUCCESS) {
    handle_ = VK_NULL_HANDLE;
    if (result == VK_ERROR_INCOMPATIBLE_DRIVER) return Error{Errc::unsupported, "Vulkan: no driver is installed"};
    return error_from_result(result, "Vulkan: create an instance");
  }
  volkLoadInstanceOnly(handle_);
  if (validation == Validation::none) return ok();
  messenger.pNext = nullptr;  // `features` belongs to the instance only
  if (const VkResult result = vkCreateDebugUtilsMessengerEXT(handle_, &messenger, nullptr, &messenger_);
      result != VK_SUCCESS)
    return error_from_result(result, "Vulkan: receive the messages of the validation layer");
  return ok();
}

Instance::~Instance() {
  if (messenger_ != VK_NULL_HANDLE) vkDestroyDebugUtilsMessengerEXT(handle_, messenger_, nullptr);
  if (handle_ != VK_NULL_HANDLE) vkDestroyInstance(handle_, nullptr);
}

std::vector<std::string> Instance::validation_messages() const {
  const std::scoped_lock lock{messages_->mutex};
  return messages_->texts;
}

}  // namespace weir::compute::vulkan
