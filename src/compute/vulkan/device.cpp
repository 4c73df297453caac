#include "compute/vulkan/device.hpp"

#include <optional>

#include <fmt/format.h>

#include "compute/vulkan/result.hpp"
#include "compute/vulkan/shaders.hpp"
#include "compute/vulkan/typed.hpp"

namespace weir::compute::vulkan {

Result<std::unique_ptr<Device>> Device::open(std::shared_ptr<Instance> instance, const DeviceInfo& info,
                                             Faults* faults) {
  std::unique_ptr<Device> device{new Device{std::move(instance), info, faults}};
  if (auto started = device->start(); !started) return started.error();
  if (faults != nullptr) faults->reopened();
  return device;
}

Status Device::start() {
  const float priority = 0.5F;
  auto queue = typed<VkDeviceQueueCreateInfo>(VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO);
  queue.queueFamilyIndex = info_.queue_family;
  queue.queueCount = 1;
  queue.pQueuePriorities = &priority;

  auto storage = typed<VkPhysicalDevice16BitStorageFeatures>(VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_16BIT_STORAGE_FEATURES);
  auto half =
      typed<VkPhysicalDeviceShaderFloat16Int8Features>(VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_FLOAT16_INT8_FEATURES);
  auto matrix = typed<VkPhysicalDeviceCooperativeMatrixFeaturesNV>(
      VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_COOPERATIVE_MATRIX_FEATURES_NV);
  auto model =
      typed<VkPhysicalDeviceVulkanMemoryModelFeatures>(VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_MEMORY_MODEL_FEATURES);
  auto features = typed<VkPhysicalDeviceFeatures2>(VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2);
  features.features.shaderStorageBufferArrayDynamicIndexing = VK_TRUE;
  features.pNext = &storage;
  storage.storageBuffer16BitAccess = info_.half_storage ? VK_TRUE : VK_FALSE;
  std::vector<const char*> extensions;
  if (info_.half_arithmetic) {
    half.shaderFloat16 = VK_TRUE;
    half.pNext = features.pNext;
    features.pNext = &half;
    extensions.push_back(VK_KHR_SHADER_FLOAT16_INT8_EXTENSION_NAME);
  }
  if (info_.cooperative_matrix) {
    matrix.cooperativeMatrix = VK_TRUE;
    matrix.pNext = features.pNext;
    model.vulkanMemoryModel = VK_TRUE;
    model.pNext = &matrix;
    features.pNext = &model;
    extensions.push_back(VK_NV_COOPERATIVE_MATRIX_EXTENSION_NAME);
    extensions.push_back(VK_KHR_VULKAN_MEMORY_MODEL_EXTENSION_NAME);
  }
  if (info_.memory_budget) extensions.push_back(VK_EXT_MEMORY_BUDGET_EXTENSION_NAME);

  auto create = typed<VkDeviceCreateInfo>(VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO);
  create.pNext = &features;
  create.queueCreateInfoCount = 1;
  create.pQueueCreateInfos = &queue;
  create.enabledExtensionCount = static_cast<std::uint32_t>(extensions.size());
  create.ppEnabledExtensionNames = extensions.data();
  if (const VkResult result = vkCreateDevice(info_.handle, &create, nullptr, &handle_); result != VK_SUCCESS) {
    handle_ = VK_NULL_HANDLE;
    return error_of(result, fmt::format("open {}", info_.name));
  }
  volkLoadDeviceTable(&api_, handle_);
  api_.vkGetDeviceQueue(handle_, info_.queue_family, 0, &queue_);
  vkGetPhysicalDeviceMemoryProperties(info_.handle, &memory_);
  for (const Where where : {Where::device, Where::upload, Where::download}) {
    const auto type = choose_memory_type(memory_, ~0U, where);
    if (!type) return type.error();
    const std::uint32_t heap = memory_.memoryTypes[*type].heapIndex;
    local_[static_cast<std::size_t>(where)] = (memory_.memoryHeaps[heap].flags & VK_MEMORY_HEAP_DEVICE_LOCAL_BIT) != 0;
  }
  return make_layouts();
}

Status Device::make_layouts() {
  std::vector<VkDescriptorSetLayoutBinding> bindings;
  for (std::uint32_t i = 0; i < static_cast<std::uint32_t>(Place::count); ++i) {
    VkDescriptorSetLayoutBinding binding{};
    binding.binding = i;
    binding.descriptorType = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER;
    binding.descriptorCount = i == 0 ? kMostSources : 1;
    binding.stageFlags = VK_SHADER_STAGE_COMPUTE_BIT;
    bindings.push_back(binding);
  }
  auto set = typed<VkDescriptorSetLayoutCreateInfo>(VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO);
  set.bindingCount = static_cast<std::uint32_t>(bindings.size());
  set.pBindings = bindings.data();
  if (const VkResult result = api_.vkCreateDescriptorSetLayout(handle_, &set, nullptr, &set_layout_);
      result != VK_SUCCESS)
    return failed(result, "create the layout of descriptors");
  const VkPushConstantRange push{VK_SHADER_STAGE_COMPUTE_BIT, 0, kPushBytes};
  auto layout = typed<VkPipelineLayoutCreateInfo>(VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO);
  layout.setLayoutCount = 1;
  layout.pSetLayouts = &set_layout_;
  layout.pushConstantRangeCount = 1;
  layout.pPushConstantRanges = &push;
  if (const VkResult result = api_.vkCreatePipelineLayout(handle_, &layout, nullptr, &layout_); result != VK_SUCCESS)
    return failed(result, "create the layout of kernels");
  return ok();
}

Device::~Device() {
  if (handle_ == VK_NULL_HANDLE) return;
  if (abandoned_) {
    // The driver may still use it: it stays, and with it its instance, for as long as the process.
    static auto* const kept = new std::vector<std::shared_ptr<Instance>>;
    kept->push_back(instance_);
    return;
  }
  api_.vkDeviceWaitIdle(handle_);
  for (const auto& [id, kernel] : kernels_) api_.vkDestroyPipeline(handle_, kernel, nullptr);
  api_.vkDestroyPipelineLayout(handle_, layout_, nullptr);
  api_.vkDestroyDescriptorSetLayout(handle_, set_layout_, nullptr);
  api_.vkDestroyDevice(handle_, nullptr);
}

void Device::abandon() {
  abandoned_ = true;
  lost_ = true;
}

VkResult Device::fault(FaultPoint point) { return faults_ != nullptr ? faults_->at(point) : VK_SUCCESS; }

Error Device::failed(VkResult result, std::string_view operation) {
  if (result == VK_ERROR_DEVICE_LOST) lost_ = true;
  return error_of(result, fmt::format("{}: {}", info_.name, operation));
}

Result<std::uint32_t> choose_memory_type(const VkPhysicalDeviceMemoryProperties& memory, std::uint32_t allowed,
                                         Where where) {
  constexpr VkMemoryPropertyFlags kLocal = VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT;
  constexpr VkMemoryPropertyFlags kHost = VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT;
  constexpr VkMemoryPropertyFlags kCached = VK_MEMORY_PROPERTY_HOST_CACHED_BIT;
  constexpr VkMemoryPropertyFlags kSpecial = VK_MEMORY_PROPERTY_PROTECTED_BIT |
                                             VK_MEMORY_PROPERTY_LAZILY_ALLOCATED_BIT |
                                             VK_MEMORY_PROPERTY_DEVICE_UNCACHED_BIT_AMD;
  const auto has = [](VkMemoryPropertyFlags flags, VkMemoryPropertyFlags wanted) { return (flags & wanted) == wanted; };
  std::optional<std::uint32_t> best;
  std::tuple<int, VkDeviceSize> best_score;
  for (std::uint32_t i = 0; i < memory.memoryTypeCount; ++i) {
    const VkMemoryPropertyFlags flags = memory.memoryTypes[i].propertyFlags;
    if ((allowed & (1U << i)) == 0 || (flags & kSpecial) != 0) continue;
    const VkDeviceSize heap = memory.memoryHeaps[memory.memoryTypes[i].heapIndex].size;
    int points = 0;
    if (where == Where::device) {
      points = (has(flags, kLocal) ? 4 : 0) + ((flags & VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT) == 0 ? 1 : 0);
    } else {
      if (!has(flags, kHost)) continue;
      const bool cached = has(flags, kCached);
      points = (has(flags, kLocal) ? 0 : 4) + (cached == (where == Where::download) ? 2 : 0);
    }
    const std::tuple score{points, heap};
    if (best && score <= best_score) continue;
    best = i;
    best_score = score;
  }
  if (best) return *best;
  return Error{Errc::unsupported, "the driver has no memory that host and device both see"};
}

Result<Block> Device::allocate(Bytes size, Where where) {
  const std::string operation = fmt::format("allocate {}", to_text(size));
  if (lost_) return failed(VK_ERROR_DEVICE_LOST, operation);
  Block block;
  block.size = size;
  auto create = typed<VkBufferCreateInfo>(VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO);
  create.size = size.count();
  create.usage =
      VK_BUFFER_USAGE_STORAGE_BUFFER_BIT | VK_BUFFER_USAGE_TRANSFER_SRC_BIT | VK_BUFFER_USAGE_TRANSFER_DST_BIT;
  VkResult result = fault(FaultPoint::allocate);
  if (result == VK_SUCCESS) result = api_.vkCreateBuffer(handle_, &create, nullptr, &block.buffer);
  if (result != VK_SUCCESS) return failed(result, operation);
  VkMemoryRequirements needs{};
  api_.vkGetBufferMemoryRequirements(handle_, block.buffer, &needs);
  const auto type = choose_memory_type(memory_, needs.memoryTypeBits, where);
  if (!type) {
    free(block);
    return type.error();
  }
  auto memory = typed<VkMemoryAllocateInfo>(VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO);
  memory.allocationSize = needs.size;
  memory.memoryTypeIndex = *type;
  result = api_.vkAllocateMemory(handle_, &memory, nullptr, &block.memory);
  if (result == VK_SUCCESS) result = api_.vkBindBufferMemory(handle_, block.buffer, block.memory, 0);
  if (result == VK_SUCCESS && where != Where::device) {
    void* host = nullptr;
    result = api_.vkMapMemory(handle_, block.memory, 0, VK_WHOLE_SIZE, 0, &host);
    block.host = static_cast<std::byte*>(host);
  }
  if (result == VK_SUCCESS) return block;
  free(block);
  return failed(result, operation);
}

void Device::free(const Block& block) {
  if (abandoned_) return;
  api_.vkDestroyBuffer(handle_, block.buffer, nullptr);
  api_.vkFreeMemory(handle_, block.memory, nullptr);
}

Status Device::submit(VkCommandBuffer commands, VkFence fence) {
  auto submit = typed<VkSubmitInfo>(VK_STRUCTURE_TYPE_SUBMIT_INFO);
  submit.commandBufferCount = 1;
  submit.pCommandBuffers = &commands;
  VkResult result = lost_ ? VK_ERROR_DEVICE_LOST : fault(FaultPoint::submit);
  if (result == VK_SUCCESS) result = api_.vkQueueSubmit(queue_, 1, &submit, fence);
  if (result != VK_SUCCESS) return failed(result, "submit");
  return ok();
}

Result<bool> Device::wait(VkFence fence, std::uint64_t nanoseconds) {
  VkResult result = fault(FaultPoint::wait);
  if (result == VK_SUCCESS) result = api_.vkWaitForFences(handle_, 1, &fence, VK_TRUE, nanoseconds);
  if (result == VK_SUCCESS) return true;
  if (result == VK_TIMEOUT) return false;
  return failed(result, "wait");
}

Result<VkPipeline> Device::kernel(const KernelId& id) {
  if (const auto found = kernels_.find(id); found != kernels_.end()) return found->second;
  const Shader* shader = find_shader(id.shader);
  if (shader == nullptr) return Error{Errc::unsupported, fmt::format("there is no kernel {}", id.shader)};
  auto code = typed<VkShaderModuleCreateInfo>(VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO);
  code.codeSize = shader->words.size() * sizeof(std::uint32_t);
  code.pCode = shader->words.data();
  VkShaderModule module = VK_NULL_HANDLE;
  const std::string operation = fmt::format("compile the kernel {}", id.shader);
  if (const VkResult result = api_.vkCreateShaderModule(handle_, &code, nullptr, &module); result != VK_SUCCESS)
    return failed(result, operation);
  std::vector<VkSpecializationMapEntry> entries;
  for (std::uint32_t i = 0; i < id.constants.size(); ++i) entries.push_back({i, i * 4, 4});
  const VkSpecializationInfo values{static_cast<std::uint32_t>(entries.size()), entries.data(),
                                    id.constants.size() * sizeof(std::uint32_t), id.constants.data()};
  auto create = typed<VkComputePipelineCreateInfo>(VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO);
  create.stage.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO;
  create.stage.stage = VK_SHADER_STAGE_COMPUTE_BIT;
  create.stage.module = module;
  create.stage.pName = "main";
  create.stage.pSpecializationInfo = &values;
  create.layout = layout_;
  VkPipeline pipeline = VK_NULL_HANDLE;
  const VkResult result = api_.vkCreateComputePipelines(handle_, VK_NULL_HANDLE, 1, &create, nullptr, &pipeline);
  api_.vkDestroyShaderModule(handle_, module, nullptr);
  if (result != VK_SUCCESS) return failed(result, operation);
  kernels_.emplace(id, pipeline);
  return pipeline;
}

Bytes Device::used_memory() const {
  Bytes used;
  for (const Heap& heap : read_heaps(info_.handle, info_.memory_budget)) {
    if (heap.device_local) used += heap.used;
  }
  return used;
}

}  // namespace weir::compute::vulkan
