// Streams: how they begin and end, and what becomes of their submissions.

#include <cassert>
#include <utility>

#include <fmt/format.h>

#include "compute/vulkan/result.hpp"
#include "compute/vulkan/stream.hpp"
#include "compute/vulkan/submission.hpp"
#include "compute/vulkan/typed.hpp"

namespace weir::compute::vulkan {

namespace {

/// A submission that takes longer hangs. A software device takes a hundred times as long for the same work, and has no
/// watchdog.
std::chrono::seconds patience_with(const DeviceInfo& info) {
  return info.kind == DeviceKind::software ? std::chrono::minutes{5} : std::chrono::seconds{20};
}

Hazards hazards_of(Lane lane) {
  return lane == Lane::computes ? Hazards{} : Hazards{Hazards::kAll & ~static_cast<unsigned>(Toucher::compute)};
}

}  // namespace

Stream::Stream(Device& device, Lane lane, StreamSettings settings)
    : device_{device}, lane_{lane}, settings_{std::move(settings)}, hazards_{hazards_of(lane)} {}

Result<std::unique_ptr<Stream>> Stream::create(Device& device, Lane lane, StreamSettings settings) {
  std::unique_ptr<Stream> stream{new Stream{device, lane, std::move(settings)}};
  if (auto first = stream->make_submission(); !first) return first.error();
  return stream;
}

Result<std::unique_ptr<Stream>> Stream::create(Device& device, StreamSettings settings) {
  return create(device, Lane::computes, std::move(settings));
}

Result<std::unique_ptr<Stream>> Stream::create_beside(Stream& first) {
  assert(first.beside_ == nullptr && first.submitted_ == 0 && !first.open_);
  if (!first.device_.info().timeline_semaphores)
    return Error{Errc::unsupported, fmt::format("{} lacks timeline semaphores", first.device_.info().name)};
  auto second = create(first.device_, Lane::copies, first.settings_);
  if (!second) return second;
  const auto crossings = std::make_shared<Crossings>();
  auto joined = first.join(**second, crossings);
  if (joined) joined = (*second)->join(first, crossings);
  if (joined) return second;
  first.part();
  return joined.error();
}

Status Stream::join(Stream& other, std::shared_ptr<Crossings> crossings) {
  auto type = typed<VkSemaphoreTypeCreateInfo>(VK_STRUCTURE_TYPE_SEMAPHORE_TYPE_CREATE_INFO);
  type.semaphoreType = VK_SEMAPHORE_TYPE_TIMELINE;
  auto create = typed<VkSemaphoreCreateInfo>(VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO);
  create.pNext = &type;
  const VkResult result = device_.api().vkCreateSemaphore(device_.handle(), &create, nullptr, &timeline_);
  if (result != VK_SUCCESS) return error_of(result, "create a semaphore");
  beside_ = &other;
  crossings_ = std::move(crossings);
  return ok();
}

/// Nothing of either stream is under way any more.
void Stream::part() {
  if (!device_.abandoned()) {
    // Ended fences do not do for Mesa's software driver: the thread of its queue lets go of a semaphore that it waited for
    // after it has signalled the fence (vk_queue_submit_destroy in vk_queue.c, Mesa 22.3).
    device_.api().vkDeviceWaitIdle(device_.handle());
    device_.api().vkDestroySemaphore(device_.handle(), timeline_, nullptr);
  }
  timeline_ = VK_NULL_HANDLE;
  beside_ = nullptr;
  crossings_.reset();
  if (open_) open_->after = 0;
}

Stream::~Stream() {
  // What was recorded and never submitted is dropped here alone: nobody can ask for its results any more.
  drain();
  if (beside_ != nullptr) {
    beside_->drain();
    beside_->part();
  }
  part();
}

void Stream::drain() {
  // Of a lost device nothing is used any more once the driver says so.
  if (device_.lost() && !device_.abandoned()) device_.api().vkDeviceWaitIdle(device_.handle());
  while (!under_way_.empty() && !device_.abandoned()) {
    const bool ended = device_.lost() || wait_for_oldest();
    if (device_.abandoned()) return;
    if (!ended) device_.api().vkDeviceWaitIdle(device_.handle());
    recycle_oldest();
  }
}

Status Stream::make_submission() {
  auto made = Submission::create(device_, lane_, settings_.max_commands);
  if (!made) return made.error();
  ++statistics_.made;
  spare_.push_back(*std::move(made));
  return ok();
}

Status Stream::fail(Error error) {
  // What is under way may still use buffers that their owners give back now; a lost device says at once that it is.
  if (device_.lost() && !device_.abandoned()) device_.api().vkDeviceWaitIdle(device_.handle());
  if (status_) status_ = std::move(error);
  return status_;
}

Status Stream::end() {
  VkResult result = device_.api().vkEndCommandBuffer(open_->buffer);
  if (result != VK_SUCCESS) return fail(error_of(result, "record commands"));
  Batch batch{open_->buffer, open_->fence, {}, {}};
  if (beside_ != nullptr) batch.sets = {timeline_, submitted_ + 1};
  if (open_->after > 0) batch.after = {beside_->timeline_, open_->after};
  if (auto submitted = device_.submit(lane_, batch); !submitted) return fail(submitted.error());
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
  if (crossings_) crossings_->ended(lane_, submitted_ - under_way_.size());
  if (oldest->clear()) spare_.push_back(std::move(oldest));
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
