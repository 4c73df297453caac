// Creation and destruction of streams, and the handling of their submissions.

#include <cassert>
#include <utility>

#include <fmt/format.h>

#include "compute/vulkan/make_struct.hpp"
#include "compute/vulkan/result.hpp"
#include "compute/vulkan/stream.hpp"
#include "compute/vulkan/submission.hpp"

namespace weir::compute::vulkan {

namespace {

/// Returns the time after which a submission counts as hanging. It is longer for a software device, which needs about a
/// hundred times as long for the same work and has no watchdog.
std::chrono::seconds submission_timeout(const DeviceInfo& info) {
  return info.kind == DeviceKind::software ? std::chrono::minutes{5} : std::chrono::seconds{20};
}

/// Returns a tracker for the stages that the queue supports.
HazardTracker make_tracker(QueueRole queue) {
  return queue == QueueRole::compute
             ? HazardTracker{}
             : HazardTracker{HazardTracker::kAllStages & ~static_cast<unsigned>(AccessStage::compute)};
}

}  // namespace

Stream::Stream(LogicalDevice& device, QueueRole queue, StreamSettings settings)
    : device_{device}, queue_{queue}, settings_{std::move(settings)}, hazards_{make_tracker(queue)} {}

Result<std::unique_ptr<Stream>> Stream::create(LogicalDevice& device, QueueRole queue, StreamSettings settings) {
  std::unique_ptr<Stream> stream{new Stream{device, queue, std::move(settings)}};
  if (auto created = stream->create_submission(); !created) return created.error();
  return stream;
}

Result<std::unique_ptr<Stream>> Stream::create(LogicalDevice& device, StreamSettings settings) {
  return create(device, QueueRole::compute, std::move(settings));
}

Result<std::unique_ptr<Stream>> Stream::create_transfer_stream(Stream& first) {
  assert(first.other_stream_ == nullptr && first.last_submitted_ == 0 && !first.open_submission_);
  if (!first.device_.info().has_timeline_semaphores)
    return Error{Errc::unsupported, fmt::format("{} lacks timeline semaphores", first.device_.info().name)};
  auto second = create(first.device_, QueueRole::transfer, first.settings_);
  if (!second) return second;
  const auto dependencies = std::make_shared<QueueDependencies>();
  auto attached = first.attach(**second, dependencies);
  if (attached) attached = (*second)->attach(first, dependencies);
  if (attached) return second;
  first.detach();
  return attached.error();
}

Status Stream::attach(Stream& other, std::shared_ptr<QueueDependencies> dependencies) {
  auto type = make_struct<VkSemaphoreTypeCreateInfo>(VK_STRUCTURE_TYPE_SEMAPHORE_TYPE_CREATE_INFO);
  type.semaphoreType = VK_SEMAPHORE_TYPE_TIMELINE;
  auto create_info = make_struct<VkSemaphoreCreateInfo>(VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO);
  create_info.pNext = &type;
  const VkResult result = device_.api().vkCreateSemaphore(device_.handle(), &create_info, nullptr, &timeline_);
  if (result != VK_SUCCESS) return error_from_result(result, "create a semaphore");
  other_stream_ = &other;
  queue_dependencies_ = std::move(dependencies);
  return ok();
}

void Stream::detach() {
  if (!device_.is_abandoned()) {
    // Waiting for fences is not enough for Mesa's software driver: its queue thread first signals the fence of a
    // submission, and only then releases the semaphore that the submission waited for (vk_queue_submit_destroy in
    // vk_queue.c, Mesa 22.3).
    device_.api().vkDeviceWaitIdle(device_.handle());
    device_.api().vkDestroySemaphore(device_.handle(), timeline_, nullptr);
  }
  timeline_ = VK_NULL_HANDLE;
  other_stream_ = nullptr;
  queue_dependencies_.reset();
  if (open_submission_) open_submission_->wait_for = 0;
}

Stream::~Stream() {
  // Commands that were recorded but not submitted are dropped; no one can wait for their results any more.
  drain();
  if (other_stream_ != nullptr) {
    other_stream_->drain();
    other_stream_->detach();
  }
  detach();
}

void Stream::drain() {
  // When vkDeviceWaitIdle has returned, a lost device no longer uses its objects.
  if (device_.is_lost() && !device_.is_abandoned()) device_.api().vkDeviceWaitIdle(device_.handle());
  while (!in_flight_.empty() && !device_.is_abandoned()) {
    const bool ended = device_.is_lost() || wait_for_oldest();
    if (device_.is_abandoned()) return;
    if (!ended) device_.api().vkDeviceWaitIdle(device_.handle());  // the wait for the fence has failed
    recycle_oldest();
  }
}

Status Stream::create_submission() {
  auto made = Submission::create(device_, queue_, settings_.max_commands);
  if (!made) return made.error();
  ++statistics_.submissions_created;
  free_submissions_.push_back(*std::move(made));
  return ok();
}

Status Stream::fail(Error error) {
  // After an error, the owners of buffers give them back, but submissions of a lost device may still use them. When
  // vkDeviceWaitIdle has returned, they no longer do; it returns soon for a lost device.
  if (device_.is_lost() && !device_.is_abandoned()) device_.api().vkDeviceWaitIdle(device_.handle());
  if (status_) status_ = std::move(error);
  return status_;
}

Status Stream::end_submission() {
  VkResult result = device_.api().vkEndCommandBuffer(open_submission_->command_buffer);
  if (result != VK_SUCCESS) return fail(error_from_result(result, "record commands"));
  CommandBatch batch{open_submission_->command_buffer, open_submission_->fence, {}, {}};
  if (other_stream_ != nullptr) batch.signal = {timeline_, last_submitted_ + 1};
  if (open_submission_->wait_for > 0) batch.wait_for = {other_stream_->timeline_, open_submission_->wait_for};
  if (auto submitted = device_.submit(queue_, batch); !submitted) return fail(submitted.error());
  in_flight_.push_back(std::move(open_submission_));
  ++last_submitted_;
  ++statistics_.submissions;
  return ok();
}

Result<Ticket> Stream::flush() {
  if (!status_) return status_.error();
  if (open_submission_) {
    if (auto ended = end_submission(); !ended) return ended.error();
  }
  return last_submitted_;
}

Status Stream::wait_for_oldest() {
  const auto timeout = submission_timeout(device_.info());
  auto signalled =
      device_.wait(in_flight_.front()->fence, static_cast<std::uint64_t>(std::chrono::nanoseconds{timeout}.count()));
  if (!signalled) return fail(signalled.error());
  if (*signalled) return ok();
  device_.abandon();
  return fail({Errc::device_lost,
               fmt::format("{}: a submission did not end within {} s", device_.info().name, timeout.count())});
}

void Stream::recycle_oldest() {
  std::unique_ptr<Submission> oldest = std::move(in_flight_.front());
  in_flight_.pop_front();
  // last_submitted_ - in_flight_.size() is the ticket of the newest submission that is no longer in flight.
  if (queue_dependencies_) queue_dependencies_->remove_ended(queue_, last_submitted_ - in_flight_.size());
  if (oldest->reset()) free_submissions_.push_back(std::move(oldest));
}

Status Stream::wait(Ticket ticket) {
  if (!status_) return status_;
  assert(ticket <= last_submitted_);
  while (last_submitted_ - in_flight_.size() < ticket) {
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
