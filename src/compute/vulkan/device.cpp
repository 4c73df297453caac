#include "compute/vulkan/device.hpp"

#include <fmt/format.h>

#include "compute/vulkan/device_request.hpp"
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
  if (const VkResult result = create_device(info_, handle_); result != VK_SUCCESS) {
    handle_ = VK_NULL_HANDLE;
    return error_of(result, fmt::format("open {}", info_.name));
  }
  volkLoadDeviceTable(&api_, handle_);
  api_.vkGetDeviceQueue(handle_, info_.queues.family, 0, queues_.data());
  api_.vkGetDeviceQueue(handle_, info_.queues.copy_family, info_.queues.copy_index, &queues_[1]);
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

Status Device::submit(Lane lane, const Batch& batch) {
  const VkPipelineStageFlags all = VK_PIPELINE_STAGE_ALL_COMMANDS_BIT;
  auto values = typed<VkTimelineSemaphoreSubmitInfo>(VK_STRUCTURE_TYPE_TIMELINE_SEMAPHORE_SUBMIT_INFO);
  auto submit = typed<VkSubmitInfo>(VK_STRUCTURE_TYPE_SUBMIT_INFO);
  submit.commandBufferCount = 1;
  submit.pCommandBuffers = &batch.commands;
  submit.pWaitDstStageMask = &all;
  values.waitSemaphoreValueCount = submit.waitSemaphoreCount = batch.after.timeline != VK_NULL_HANDLE ? 1 : 0;
  submit.pWaitSemaphores = &batch.after.timeline;
  values.pWaitSemaphoreValues = &batch.after.value;
  values.signalSemaphoreValueCount = submit.signalSemaphoreCount = batch.sets.timeline != VK_NULL_HANDLE ? 1 : 0;
  submit.pSignalSemaphores = &batch.sets.timeline;
  values.pSignalSemaphoreValues = &batch.sets.value;
  if (submit.waitSemaphoreCount + submit.signalSemaphoreCount > 0) submit.pNext = &values;
  VkResult result = lost_ ? VK_ERROR_DEVICE_LOST : fault(FaultPoint::submit);
  if (result == VK_SUCCESS)
    result = api_.vkQueueSubmit(queues_[static_cast<std::size_t>(lane)], 1, &submit, batch.fence);
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
