#include "compute/vulkan/stream.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

#include <fmt/format.h>

#include "compute/vulkan/result.hpp"
#include "compute/vulkan/typed.hpp"

namespace weir::compute::vulkan {

/// What one submission needs; used again and again.
struct Stream::Submission {
  explicit Submission(Device& of) : device{of} {}
  ~Submission() {
    if (device.abandoned()) return;
    device.api().vkDestroyDescriptorPool(device.handle(), descriptors, nullptr);
    device.api().vkDestroyFence(device.handle(), fence, nullptr);
    device.api().vkDestroyCommandPool(device.handle(), commands, nullptr);
  }
  Submission(const Submission&) = delete;
  Submission& operator=(const Submission&) = delete;

  Device& device;
  VkCommandPool commands = VK_NULL_HANDLE;
  VkCommandBuffer buffer = VK_NULL_HANDLE;
  VkFence fence = VK_NULL_HANDLE;
  VkDescriptorPool descriptors = VK_NULL_HANDLE;
  std::vector<Buffer> temporaries;
  int count = 0;
  double multiplications = 0;
};

namespace {

VkPipelineStageFlags stages(unsigned touchers) {
  VkPipelineStageFlags flags = 0;
  if ((touchers & static_cast<unsigned>(Toucher::compute)) != 0) flags |= VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT;
  if ((touchers & static_cast<unsigned>(Toucher::transfer)) != 0) flags |= VK_PIPELINE_STAGE_TRANSFER_BIT;
  if ((touchers & static_cast<unsigned>(Toucher::host)) != 0) flags |= VK_PIPELINE_STAGE_HOST_BIT;
  return flags;
}

VkAccessFlags accesses(unsigned touchers, bool writes_only) {
  VkAccessFlags flags = 0;
  if ((touchers & static_cast<unsigned>(Toucher::compute)) != 0)
    flags |= VK_ACCESS_SHADER_WRITE_BIT | (writes_only ? 0 : VK_ACCESS_SHADER_READ_BIT);
  if ((touchers & static_cast<unsigned>(Toucher::transfer)) != 0)
    flags |= VK_ACCESS_TRANSFER_WRITE_BIT | (writes_only ? 0 : VK_ACCESS_TRANSFER_READ_BIT);
  if ((touchers & static_cast<unsigned>(Toucher::host)) != 0 && !writes_only) flags |= VK_ACCESS_HOST_READ_BIT;
  return flags;
}

Access access_of(Slice slice, bool write, Toucher toucher) {
  // A handle is a number of 64 bits whatever its type.
  return {reinterpret_cast<std::uint64_t>(slice.buffer), slice.offset, slice.offset + slice.size, write, toucher};
}

/// A submission that takes longer hangs. A software device takes a hundred times as long for the same work, and has no
/// watchdog.
std::chrono::seconds patience_with(const DeviceInfo& info) {
  return info.kind == DeviceKind::software ? std::chrono::minutes{5} : std::chrono::seconds{20};
}

}  // namespace

Stream::Stream(Device& device, StreamSettings settings) : device_{device}, settings_{std::move(settings)} {}

Result<std::unique_ptr<Stream>> Stream::create(Device& device, StreamSettings settings) {
  std::unique_ptr<Stream> stream{new Stream{device, std::move(settings)}};
  auto first = stream->make_submission();
  if (!first) return first.error();
  stream->spare_.push_back(*std::move(first));
  return stream;
}

Stream::~Stream() {
  // What was recorded and never submitted is dropped here alone: nobody can ask for its results any more.
  // Of a lost device nothing is used any more once the driver says so.
  if (device_.lost() && !device_.abandoned()) device_.api().vkDeviceWaitIdle(device_.handle());
  while (!under_way_.empty() && !device_.abandoned()) {
    if (!device_.lost() && !wait_for_oldest()) continue;  // it is lost now, or it hangs and is given up
    recycle_oldest();
  }
}

Result<std::unique_ptr<Stream::Submission>> Stream::make_submission() {
  auto made = std::make_unique<Submission>(device_);
  VkDevice handle = device_.handle();
  auto pool = typed<VkCommandPoolCreateInfo>(VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO);
  pool.flags = VK_COMMAND_POOL_CREATE_TRANSIENT_BIT;
  pool.queueFamilyIndex = device_.info().queue_family;
  VkResult result = device_.api().vkCreateCommandPool(handle, &pool, nullptr, &made->commands);
  if (result == VK_SUCCESS) {
    auto buffer = typed<VkCommandBufferAllocateInfo>(VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO);
    buffer.commandPool = made->commands;
    buffer.commandBufferCount = 1;
    result = device_.api().vkAllocateCommandBuffers(handle, &buffer, &made->buffer);
  }
  const auto fence = typed<VkFenceCreateInfo>(VK_STRUCTURE_TYPE_FENCE_CREATE_INFO);
  if (result == VK_SUCCESS) result = device_.api().vkCreateFence(handle, &fence, nullptr, &made->fence);
  const auto sets = static_cast<std::uint32_t>(settings_.max_commands);
  const VkDescriptorPoolSize size{VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, sets * kPlaces};
  auto descriptors = typed<VkDescriptorPoolCreateInfo>(VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO);
  descriptors.maxSets = sets;
  descriptors.poolSizeCount = 1;
  descriptors.pPoolSizes = &size;
  if (result == VK_SUCCESS)
    result = device_.api().vkCreateDescriptorPool(handle, &descriptors, nullptr, &made->descriptors);
  if (result != VK_SUCCESS) return error_of(result, fmt::format("{}: prepare a submission", device_.info().name));
  ++statistics_.made;
  return made;
}

Status Stream::fail(Error error) {
  // What is under way may still use buffers that their owners give back now; a lost device says at once that it is.
  if (device_.lost() && !device_.abandoned()) device_.api().vkDeviceWaitIdle(device_.handle());
  if (status_) status_ = std::move(error);
  return status_;
}

Status Stream::begin() {
  if (!status_ || open_) return status_;
  if (static_cast<int>(under_way_.size()) >= settings_.max_submissions) {
    if (auto waited = wait_for_oldest(); !waited) return waited;
    recycle_oldest();
  }
  if (spare_.empty()) {
    auto made = make_submission();
    if (!made) return fail(made.error());
    spare_.push_back(*std::move(made));
  }
  auto info = typed<VkCommandBufferBeginInfo>(VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO);
  info.flags = VK_COMMAND_BUFFER_USAGE_ONE_TIME_SUBMIT_BIT;
  const VkResult result = device_.api().vkBeginCommandBuffer(spare_.back()->buffer, &info);
  if (result != VK_SUCCESS) return fail(error_of(result, "record commands"));
  open_ = std::move(spare_.back());
  spare_.pop_back();
  return ok();
}

Status Stream::settle(std::span<const Access> uses) {
  if (auto begun = begin(); !begun) return begun;
  const Barrier barrier = hazards_.before(uses);
  if (!barrier.needed) return ok();
  auto memory = typed<VkMemoryBarrier>(VK_STRUCTURE_TYPE_MEMORY_BARRIER);
  memory.srcAccessMask = accesses(barrier.after, true);
  memory.dstAccessMask = accesses(barrier.before, false);
  device_.api().vkCmdPipelineBarrier(open_->buffer, stages(barrier.after), stages(barrier.before), 0, 1, &memory, 0,
                                     nullptr, 0, nullptr);
  ++statistics_.barriers;
  return ok();
}

Result<VkDescriptorSet> Stream::bind(const Dispatch& dispatch) {
  VkDescriptorSetLayout layout = device_.set_layout();
  auto allocate = typed<VkDescriptorSetAllocateInfo>(VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO);
  allocate.descriptorPool = open_->descriptors;
  allocate.descriptorSetCount = 1;
  allocate.pSetLayouts = &layout;
  VkDescriptorSet set = VK_NULL_HANDLE;
  const VkResult result = device_.api().vkAllocateDescriptorSets(device_.handle(), &allocate, &set);
  if (result != VK_SUCCESS) return error_of(result, "bind buffers");
  std::vector<VkDescriptorBufferInfo> infos(kPlaces);
  std::vector<VkWriteDescriptorSet> writes;
  const auto add = [&](Place place, std::uint32_t index, Slice slice) {
    VkDescriptorBufferInfo& info = infos[writes.size()];
    info = {slice.buffer, slice.offset, slice.size};
    auto write = typed<VkWriteDescriptorSet>(VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET);
    write.dstSet = set;
    write.dstBinding = static_cast<std::uint32_t>(place);
    write.dstArrayElement = index;
    write.descriptorCount = 1;
    write.descriptorType = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER;
    write.pBufferInfo = &info;
    writes.push_back(write);
  };
  std::array<bool, static_cast<std::size_t>(Place::count)> bound{};
  std::uint32_t sources = 0;
  for (const Use& use : dispatch.uses) {
    assert(use.slice.offset % device_.info().binding_alignment.count() == 0);
    add(use.place, use.index, use.slice);
    bound[static_cast<std::size_t>(use.place)] = true;
    if (use.place == Place::sources) ++sources;
  }
  // A shader names places that constants keep it from ever reading: something must be there all the same.
  const Slice any = dispatch.uses.front().slice;
  for (std::uint32_t i = sources; i < kMostSources; ++i) add(Place::sources, i, any);
  for (std::size_t place = 1; place < bound.size(); ++place) {
    if (!bound[place]) add(static_cast<Place>(place), 0, any);
  }
  device_.api().vkUpdateDescriptorSets(device_.handle(), static_cast<std::uint32_t>(writes.size()), writes.data(), 0,
                                       nullptr);
  return set;
}

Status Stream::dispatch(const Dispatch& dispatch) {
  if (!settings_.watch) return record(dispatch);
  if (auto before = sync(); !before) return before;
  const auto start = std::chrono::steady_clock::now();
  auto status = record(dispatch);
  if (status) status = sync();
  if (status) settings_.watch(dispatch, std::chrono::steady_clock::now() - start);
  return status;
}

Status Stream::record(const Dispatch& dispatch) {
  auto kernel = device_.kernel(dispatch.kernel);
  if (!kernel) return fail(kernel.error());
  std::vector<Access> uses;
  for (const Use& use : dispatch.uses) uses.push_back(access_of(use.slice, use.write, Toucher::compute));
  if (auto settled = settle(uses); !settled) return settled;
  auto set = bind(dispatch);
  if (!set) return fail(set.error());
  const VolkDeviceTable& api = device_.api();
  api.vkCmdBindPipeline(open_->buffer, VK_PIPELINE_BIND_POINT_COMPUTE, *kernel);
  api.vkCmdBindDescriptorSets(open_->buffer, VK_PIPELINE_BIND_POINT_COMPUTE, device_.layout(), 0, 1, &*set, 0, nullptr);
  api.vkCmdPushConstants(open_->buffer, device_.layout(), VK_SHADER_STAGE_COMPUTE_BIT, 0, kPushBytes,
                         dispatch.push.data());
  api.vkCmdDispatch(open_->buffer, dispatch.groups[0], dispatch.groups[1], dispatch.groups[2]);
  return count(dispatch.multiplications);
}

Status Stream::copy(Slice from, Slice to) {
  assert(from.size == to.size);
  const std::array uses{access_of(from, false, Toucher::transfer), access_of(to, true, Toucher::transfer)};
  if (auto settled = settle(uses); !settled) return settled;
  const VkBufferCopy region{from.offset, to.offset, from.size};
  device_.api().vkCmdCopyBuffer(open_->buffer, from.buffer, to.buffer, 1, &region);
  return count(0);
}

Status Stream::fill(Slice slice, std::uint32_t value) {
  const std::array uses{access_of(slice, true, Toucher::transfer)};
  if (auto settled = settle(uses); !settled) return settled;
  device_.api().vkCmdFillBuffer(open_->buffer, slice.buffer, slice.offset, slice.size, value);
  return count(0);
}

Status Stream::show_host(Slice slice) {
  const std::array uses{access_of(slice, false, Toucher::host)};
  if (auto settled = settle(uses); !settled) return settled;
  return count(0);
}

Status Stream::keep(Buffer temporary) {
  if (auto begun = begin(); !begun) return begun;
  open_->temporaries.push_back(std::move(temporary));
  return ok();
}

Status Stream::count(double multiplications) {
  ++statistics_.commands;
  statistics_.multiplications += multiplications;
  open_->multiplications += multiplications;
  ++open_->count;
  if (open_->count < settings_.max_commands && open_->multiplications < settings_.max_multiplications) return ok();
  return end();
}

Status Stream::end() {
  VkResult result = device_.api().vkEndCommandBuffer(open_->buffer);
  if (result != VK_SUCCESS) return fail(error_of(result, "record commands"));
  if (auto submitted = device_.submit(open_->buffer, open_->fence); !submitted) return fail(submitted.error());
  under_way_.push_back(std::move(open_));
  ++submitted_;
  ++statistics_.submissions;
  return ok();
}

Result<Ticket> Stream::flush() {
  if (!status_) return status_.error();
  if (open_) {
    if (auto ended = end(); !ended) return ended.error();
  }
  return submitted_;
}

Status Stream::wait_for_oldest() {
  const auto patience = patience_with(device_.info());
  auto signalled =
      device_.wait(under_way_.front()->fence, static_cast<std::uint64_t>(std::chrono::nanoseconds{patience}.count()));
  if (!signalled) return fail(signalled.error());
  if (*signalled) return ok();
  device_.abandon();
  return fail({Errc::device_lost,
               fmt::format("{}: a submission did not end within {} s", device_.info().name, patience.count())});
}

/// It has ended, or never will: the device is lost, and then nothing of it is used any more.
void Stream::recycle_oldest() {
  std::unique_ptr<Submission> oldest = std::move(under_way_.front());
  under_way_.pop_front();
  oldest->temporaries.clear();
  oldest->count = 0;
  oldest->multiplications = 0;
  const VolkDeviceTable& api = device_.api();
  VkDevice handle = device_.handle();
  const bool again = api.vkResetFences(handle, 1, &oldest->fence) == VK_SUCCESS &&
                     api.vkResetDescriptorPool(handle, oldest->descriptors, 0) == VK_SUCCESS &&
                     api.vkResetCommandPool(handle, oldest->commands, 0) == VK_SUCCESS;
  if (again) spare_.push_back(std::move(oldest));
}

Status Stream::wait(Ticket ticket) {
  if (!status_) return status_;
  assert(ticket <= submitted_);
  while (submitted_ - under_way_.size() < ticket) {
    if (auto waited = wait_for_oldest(); !waited) return waited;
    recycle_oldest();
  }
  return ok();
}

Status Stream::sync() {
  auto ticket = flush();
  if (!ticket) return ticket.error();
  if (auto waited = wait(*ticket); !waited) return waited;
  hazards_.clear();
  return ok();
}

}  // namespace weir::compute::vulkan
