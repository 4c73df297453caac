#include "compute/vulkan/logical_device.hpp"

#include <fmt/format.h>

#include "compute/vulkan/device_request.hpp"
#include "compute/vulkan/make_struct.hpp"
#include "compute/vulkan/result.hpp"
#include "compute/vulkan/shaders.hpp"

namespace weir::compute::vulkan {

Result<std::unique_ptr<LogicalDevice>> LogicalDevice::open(std::shared_ptr<Instance> instance, const DeviceInfo& info,
                                                           FaultInjector* faults) {
  std::unique_ptr<LogicalDevice> device{new LogicalDevice{std::move(instance), info, faults}};
  if (auto started = device->initialise(); !started) return started.error();
  if (faults != nullptr) faults->on_device_opened();
  return device;
}

Status LogicalDevice::initialise() {
  if (const VkResult result = create_device(info_, handle_); result != VK_SUCCESS) {
    handle_ = VK_NULL_HANDLE;
    return error_from_result(result, fmt::format("open {}", info_.name));
  }
  volkLoadDeviceTable(&api_, handle_);
  api_.vkGetDeviceQueue(handle_, info_.queues.compute_family, 0, queues_.data());
  api_.vkGetDeviceQueue(handle_, info_.queues.transfer_family, info_.queues.transfer_index, &queues_[1]);
  vkGetPhysicalDeviceMemoryProperties(info_.handle, &memory_properties_);
  for (const MemoryUsage usage : {MemoryUsage::device, MemoryUsage::upload, MemoryUsage::download}) {
    const auto type = choose_memory_type(memory_properties_, ~0U, usage);  // ~0U allows all types
    if (!type) return type.error();
    const std::uint32_t heap = memory_properties_.memoryTypes[*type].heapIndex;
    device_local_[static_cast<std::size_t>(usage)] =
        (memory_properties_.memoryHeaps[heap].flags & VK_MEMORY_HEAP_DEVICE_LOCAL_BIT) != 0;
  }
  return create_layouts();
}

Status LogicalDevice::create_layouts() {
  std::vector<VkDescriptorSetLayoutBinding> bindings;
  for (std::uint32_t i = 0; i < static_cast<std::uint32_t>(BindingSlot::count); ++i) {
    VkDescriptorSetLayoutBinding binding{};
    binding.binding = i;
    binding.descriptorType = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER;
    binding.descriptorCount = i == 0 ? kMaxSources : 1;  // 0 is BindingSlot::sources
    binding.stageFlags = VK_SHADER_STAGE_COMPUTE_BIT;
    bindings.push_back(binding);
  }
  auto set = make_struct<VkDescriptorSetLayoutCreateInfo>(VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO);
  set.bindingCount = static_cast<std::uint32_t>(bindings.size());
  set.pBindings = bindings.data();
  if (const VkResult result = api_.vkCreateDescriptorSetLayout(handle_, &set, nullptr, &descriptor_layout_);
      result != VK_SUCCESS)
    return make_error(result, "create the descriptor set layout");
  const VkPushConstantRange push{VK_SHADER_STAGE_COMPUTE_BIT, 0, kPushBytes};
  auto layout = make_struct<VkPipelineLayoutCreateInfo>(VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO);
  layout.setLayoutCount = 1;
  layout.pSetLayouts = &descriptor_layout_;
  layout.pushConstantRangeCount = 1;
  layout.pPushConstantRanges = &push;
  if (const VkResult result = api_.vkCreatePipelineLayout(handle_, &layout, nullptr, &pipeline_layout_);
      result != VK_SUCCESS)
    return make_error(result, "create the pipeline layout");
  return ok();
}

LogicalDevice::~LogicalDevice() {
  if (handle_ == VK_NULL_HANDLE) return;
  if (abandoned_) {
    // The driver may still use the device, so the VkDevice and its instance are kept until the process ends.
    static auto* const kept_instances = new std::vector<std::shared_ptr<Instance>>;
    kept_instances->push_back(instance_);
    return;
  }
  api_.vkDeviceWaitIdle(handle_);
  for (const auto& [id, kernel] : kernels_) api_.vkDestroyPipeline(handle_, kernel, nullptr);
  api_.vkDestroyPipelineLayout(handle_, pipeline_layout_, nullptr);
  api_.vkDestroyDescriptorSetLayout(handle_, descriptor_layout_, nullptr);
  api_.vkDestroyDevice(handle_, nullptr);
}

void LogicalDevice::abandon() {
  abandoned_ = true;
  lost_ = true;
}

VkResult LogicalDevice::injected_result(FaultPoint point) {
  return fault_injector_ != nullptr ? fault_injector_->inject(point) : VK_SUCCESS;
}

Error LogicalDevice::make_error(VkResult result, std::string_view operation) {
  if (result == VK_ERROR_DEVICE_LOST) lost_ = true;
  return error_from_result(result, fmt::format("{}: {}", info_.name, operation));
}

Status LogicalDevice::submit(QueueRole queue, const CommandBatch& batch) {
  const VkPipelineStageFlags all_stages = VK_PIPELINE_STAGE_ALL_COMMANDS_BIT;
  auto semaphore_values = make_struct<VkTimelineSemaphoreSubmitInfo>(VK_STRUCTURE_TYPE_TIMELINE_SEMAPHORE_SUBMIT_INFO);
  auto submit_info = make_struct<VkSubmitInfo>(VK_STRUCTURE_TYPE_SUBMIT_INFO);
  submit_info.commandBufferCount = 1;
  submit_info.pCommandBuffers = &batch.command_buffer;
  submit_info.pWaitDstStageMask = &all_stages;
  semaphore_values.waitSemaphoreValueCount = submit_info.waitSemaphoreCount =
      batch.wait_for.semaphore != VK_NULL_HANDLE ? 1 : 0;
  submit_info.pWaitSemaphores = &batch.wait_for.semaphore;
  semaphore_values.pWaitSemaphoreValues = &batch.wait_for.value;
  semaphore_values.signalSemaphoreValueCount = submit_info.signalSemaphoreCount =
      batch.signal.semaphore != VK_NULL_HANDLE ? 1 : 0;
  submit_info.pSignalSemaphores = &batch.signal.semaphore;
  semaphore_values.pSignalSemaphoreValues = &batch.signal.value;
  if (submit_info.waitSemaphoreCount + submit_info.signalSemaphoreCount > 0) submit_info.pNext = &semaphore_values;
  VkResult result = lost_ ? VK_ERROR_DEVICE_LOST : injected_result(FaultPoint::submit);
  if (result == VK_SUCCESS)
    result = api_.vkQueueSubmit(queues_[static_cast<std::size_t>(queue)], 1, &submit_info, batch.fence);
  if (result != VK_SUCCESS) return make_error(result, "submit");
  return ok();
}

Result<bool> LogicalDevice::wait(VkFence fence, std::uint64_t nanoseconds) {
  VkResult result = injected_result(FaultPoint::wait);
  if (result == VK_SUCCESS) result = api_.vkWaitForFences(handle_, 1, &fence, VK_TRUE, nanoseconds);
  if (result == VK_SUCCESS) return true;
  if (result == VK_TIMEOUT) return false;
  return make_error(result, "wait");
}

Result<VkPipeline> LogicalDevice::get_kernel(const KernelId& id) {
  if (const auto found = kernels_.find(id); found != kernels_.end()) return found->second;
  const Shader* shader = find_shader(id.shader);
  if (shader == nullptr) return Error{Errc::unsupported, fmt::format("there is no kernel {}", id.shader)};
  auto module_info = make_struct<VkShaderModuleCreateInfo>(VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO);
  module_info.codeSize = shader->code.size() * sizeof(std::uint32_t);
  module_info.pCode = shader->code.data();
  VkShaderModule module = VK_NULL_HANDLE;
  const std::string operation = fmt::format("compile the kernel {}", id.shader);
  if (const VkResult result = api_.vkCreateShaderModule(handle_, &module_info, nullptr, &module); result != VK_SUCCESS)
    return make_error(result, operation);
  std::vector<VkSpecializationMapEntry> entries;
  for (std::uint32_t i = 0; i < id.constants.size(); ++i) entries.push_back({i, i * 4, 4});
  const VkSpecializationInfo constants{static_cast<std::uint32_t>(entries.size()), entries.data(),
                                       id.constants.size() * sizeof(std::uint32_t), id.constants.data()};
  auto create_info = make_struct<VkComputePipelineCreateInfo>(VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO);
  create_info.stage.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO;
  create_info.stage.stage = VK_SHADER_STAGE_COMPUTE_BIT;
  create_info.stage.module = module;
  create_info.stage.pName = "main";
  create_info.stage.pSpecializationInfo = &constants;
  create_info.layout = pipeline_layout_;
  VkPipeline pipeline = VK_NULL_HANDLE;
  const VkResult result = api_.vkCreateComputePipelines(handle_, VK_NULL_HANDLE, 1, &create_info, nullptr, &pipeline);
  api_.vkDestroyShaderModule(handle_, module, nullptr);
  if (result != VK_SUCCESS) return make_error(result, operation);
  kernels_.emplace(id, pipeline);
  return pipeline;
}

Bytes LogicalDevice::used_memory() const {
  Bytes used;
  for (const Heap& heap : read_heaps(info_.handle, info_.has_memory_budget)) {
    if (heap.device_local) used += heap.used;
  }
  return used;
}

}  // namespace weir::compute::vulkan
