#include "compute/vulkan/stream.hpp"

#include <array>
#include <cassert>
#include <utility>

#include "compute/vulkan/make_struct.hpp"
#include "compute/vulkan/memory_barrier.hpp"
#include "compute/vulkan/result.hpp"
#include "compute/vulkan/submission.hpp"

namespace weir::compute::vulkan {

namespace {

Access access_of(Slice slice, bool write, AccessStage stage) {
  // Vulkan handles have 64 bits, whether they are pointers or integers.
  return {reinterpret_cast<std::uint64_t>(slice.buffer), slice.offset, slice.offset + slice.size, write, stage};
}

}  // namespace

Status Stream::begin_submission() {
  if (!status_ || open_submission_) return status_;
  if (static_cast<int>(in_flight_.size()) >= settings_.max_submissions) {
    if (auto waited = wait_for_oldest(); !waited) return waited;
    recycle_oldest();
  }
  if (free_submissions_.empty()) {
    if (auto made = create_submission(); !made) return fail(made.error());
  }
  auto begin_info = make_struct<VkCommandBufferBeginInfo>(VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO);
  begin_info.flags = VK_COMMAND_BUFFER_USAGE_ONE_TIME_SUBMIT_BIT;
  const VkResult result = device_.api().vkBeginCommandBuffer(free_submissions_.back()->command_buffer, &begin_info);
  if (result != VK_SUCCESS) return fail(error_from_result(result, "record commands"));
  open_submission_ = std::move(free_submissions_.back());
  free_submissions_.pop_back();
  return ok();
}

Status Stream::insert_barriers(std::span<const Access> accesses) {
  if (auto waited = wait_other_queue(accesses); !waited) return waited;
  if (auto begun = begin_submission(); !begun) return begun;
  const Barrier barrier = hazards_.add_command(accesses);
  if (!barrier.needed) return ok();
  record_barrier(device_.api(), open_submission_->command_buffer, barrier);
  ++statistics_.barriers;
  return ok();
}

// Opens a submission. If the accesses need it, makes this submission wait for the other queue: the device waits, not
// this thread.
Status Stream::wait_other_queue(std::span<const Access> accesses) {
  if (!status_ || other_stream_ == nullptr) return status_;
  const Ticket ticket = queue_dependencies_->find_dependency(queue_, accesses);
  if (ticket > other_stream_->last_submitted_) {  // the conflicting command is recorded, but not submitted yet
    if (auto flushed = other_stream_->flush(); !flushed) return fail(flushed.error());
  }
  // The commands recorded so far need not wait, so they are submitted first, without the wait.
  if (ticket > 0 && open_submission_ && open_submission_->command_count > 0) {
    if (auto ended = end_submission(); !ended) return ended;
  }
  if (auto begun = begin_submission(); !begun) return begun;
  if (ticket > 0) {
    open_submission_->wait_for = ticket;
    queue_dependencies_->record_wait(queue_, ticket);
    ++statistics_.queue_waits;
  }
  queue_dependencies_->record_accesses(queue_, last_submitted_ + 1, accesses);  // the ticket of the open submission
  return ok();
}

Status Stream::dispatch(const Dispatch& dispatch) {
  if (!settings_.on_dispatch) return record_dispatch(dispatch);
  if (auto synced = sync(); !synced) return synced;
  const auto start = std::chrono::steady_clock::now();
  auto status = record_dispatch(dispatch);
  if (status) status = sync();
  if (status) settings_.on_dispatch(dispatch, std::chrono::steady_clock::now() - start);
  return status;
}

Status Stream::record_dispatch(const Dispatch& dispatch) {
  assert(queue_ == QueueRole::compute);
  auto kernel = device_.get_kernel(dispatch.kernel);
  if (!kernel) return fail(kernel.error());
  std::vector<Access> accesses;
  for (const BufferBinding& binding : dispatch.bindings)
    accesses.push_back(access_of(binding.slice, binding.write, AccessStage::compute));
  if (auto inserted = insert_barriers(accesses); !inserted) return inserted;
  auto descriptor_set = bind_buffers(device_, open_submission_->descriptor_pool, dispatch);
  if (!descriptor_set) return fail(descriptor_set.error());
  const VolkDeviceTable& api = device_.api();
  api.vkCmdBindPipeline(open_submission_->command_buffer, VK_PIPELINE_BIND_POINT_COMPUTE, *kernel);
  api.vkCmdBindDescriptorSets(open_submission_->command_buffer, VK_PIPELINE_BIND_POINT_COMPUTE,
                              device_.pipeline_layout(), 0, 1, &*descriptor_set, 0, nullptr);
  api.vkCmdPushConstants(open_submission_->command_buffer, device_.pipeline_layout(), VK_SHADER_STAGE_COMPUTE_BIT, 0,
                         kPushBytes, dispatch.push_data.data());
  api.vkCmdDispatch(open_submission_->command_buffer, dispatch.groups[0], dispatch.groups[1], dispatch.groups[2]);
  return submit_if_full(dispatch.multiplications);
}

Status Stream::copy(Slice from, Slice to) {
  assert(from.size == to.size);
  const std::array accesses{access_of(from, /*write=*/false, AccessStage::transfer),
                            access_of(to, /*write=*/true, AccessStage::transfer)};
  if (auto inserted = insert_barriers(accesses); !inserted) return inserted;
  const VkBufferCopy region{from.offset, to.offset, from.size};
  device_.api().vkCmdCopyBuffer(open_submission_->command_buffer, from.buffer, to.buffer, 1, &region);
  return submit_if_full(/*multiplications=*/0);
}

Status Stream::fill(Slice slice, std::uint32_t value) {
  const std::array accesses{access_of(slice, /*write=*/true, AccessStage::transfer)};
  if (auto inserted = insert_barriers(accesses); !inserted) return inserted;
  device_.api().vkCmdFillBuffer(open_submission_->command_buffer, slice.buffer, slice.offset, slice.size, value);
  return submit_if_full(/*multiplications=*/0);
}

Status Stream::make_host_readable(Slice slice) {
  const std::array accesses{access_of(slice, /*write=*/false, AccessStage::host)};
  if (auto inserted = insert_barriers(accesses); !inserted) return inserted;
  return submit_if_full(/*multiplications=*/0);
}

Status Stream::keep_alive(Buffer temporary) {
  if (auto begun = begin_submission(); !begun) return begun;
  open_submission_->temporary_buffers.push_back(std::move(temporary));
  return ok();
}

Status Stream::submit_if_full(double multiplications) {
  ++statistics_.commands;
  statistics_.multiplications += multiplications;
  open_submission_->multiplications += multiplications;
  ++open_submission_->command_count;
  if (open_submission_->command_count < settings_.max_commands &&
      open_submission_->multiplications < settings_.max_multiplications)
    return ok();
  return end_submission();
}

}  // namespace weir::compute::vulkan
