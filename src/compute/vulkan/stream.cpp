#include "compute/vulkan/stream.hpp"

#include <array>
#include <cassert>
#include <utility>

#include "compute/vulkan/memory_barrier.hpp"
#include "compute/vulkan/result.hpp"
#include "compute/vulkan/submission.hpp"
#include "compute/vulkan/typed.hpp"

namespace weir::compute::vulkan {

namespace {

Access access_of(Slice slice, bool write, Toucher toucher) {
  // A handle is a number of 64 bits whatever its type.
  return {reinterpret_cast<std::uint64_t>(slice.buffer), slice.offset, slice.offset + slice.size, write, toucher};
}

}  // namespace

Status Stream::begin() {
  if (!status_ || open_) return status_;
  if (static_cast<int>(under_way_.size()) >= settings_.max_submissions) {
    if (auto waited = wait_for_oldest(); !waited) return waited;
    recycle_oldest();
  }
  if (spare_.empty()) {
    if (auto made = make_submission(); !made) return fail(made.error());
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
  if (auto crossed = cross(uses); !crossed) return crossed;
  if (auto begun = begin(); !begun) return begun;
  const Barrier barrier = hazards_.before(uses);
  if (!barrier.needed) return ok();
  record_barrier(device_.api(), open_->buffer, barrier);
  ++statistics_.barriers;
  return ok();
}

/// What the stream beside this one does with the same memory comes first.
Status Stream::cross(std::span<const Access> uses) {
  if (!status_ || beside_ == nullptr) return status_;
  const Ticket ticket = crossings_->before(lane_, uses);
  if (ticket > beside_->submitted_) {
    if (auto flushed = beside_->flush(); !flushed) return fail(flushed.error());
  }
  // What was recorded before does not have to wait.
  if (ticket > 0 && open_ && open_->count > 0) {
    if (auto ended = end(); !ended) return ended;
  }
  if (auto begun = begin(); !begun) return begun;
  if (ticket > 0) {
    open_->after = ticket;
    crossings_->waited(lane_, ticket);
    ++statistics_.crossings;
  }
  crossings_->record(lane_, submitted_ + 1, uses);
  return ok();
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
  assert(lane_ == Lane::computes);
  auto kernel = device_.kernel(dispatch.kernel);
  if (!kernel) return fail(kernel.error());
  std::vector<Access> uses;
  for (const Use& use : dispatch.uses) uses.push_back(access_of(use.slice, use.write, Toucher::compute));
  if (auto settled = settle(uses); !settled) return settled;
  auto set = bind_buffers(device_, open_->descriptors, dispatch);
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

}  // namespace weir::compute::vulkan
