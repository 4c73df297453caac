#include "nn/train/vulkan/vulkan_executor.hpp"

#include <algorithm>
#include <bit>
#include <chrono>
#include <cstring>

#include <fmt/format.h>

namespace weir::nn::train {

using compute::vulkan::MemoryKind;
using compute::vulkan::MemoryUsage;

namespace {

constexpr std::uint32_t kGroupSize = 64;  // invocations per workgroup of the element-wise kernels

}  // namespace

Result<std::unique_ptr<VulkanExecutor>> VulkanExecutor::open(std::shared_ptr<compute::vulkan::Instance> instance,
                                                             const compute::vulkan::DeviceInfo& info,
                                                             const VulkanTrainingSettings& settings) {
  std::unique_ptr<VulkanExecutor> executor{new VulkanExecutor};
  auto device = compute::vulkan::LogicalDevice::open(std::move(instance), info, settings.fault_injector);
  if (!device) return device.error();
  executor->device_ = *std::move(device);
  executor->device_limit_.set_limit(settings.memory_limit);
  // Recorded commands may still use a buffer that was given back to the pool. Later commands run after them and may
  // reuse the buffer, but the driver must not free it before the recorded commands have ended.
  const compute::vulkan::BufferPoolSettings pool{
      .max_idle = settings.max_idle, .before_cleanup = [owner = executor.get()] { owner->wait_until_idle(); }};
  executor->pool_ = std::make_unique<compute::vulkan::BufferPool>(*executor->device_, executor->device_limit_,
                                                                  executor->host_limit_, pool);
  auto stream = compute::vulkan::Stream::create(*executor->device_, {.max_commands = settings.max_commands});
  if (!stream) return stream.error();
  executor->stream_ = *std::move(stream);
  return executor;
}

// Destroying the stream waits for its commands. The pool's destructor calls wait_until_idle(), which reads stream_; so
// the pool is destroyed here, while that member still exists and is null.
VulkanExecutor::~VulkanExecutor() {
  stream_.reset();
  pool_.reset();
}

Result<VulkanExecutor::Buffer> VulkanExecutor::acquire(std::size_t count) {
  const Bytes size = Bytes{std::max<std::size_t>(count, 1)} * sizeof(float);
  if (const Bytes limit = device_->info().max_buffer_range; size > limit) {
    return Error{Errc::unsupported, fmt::format("{}: a tensor of {} values takes {}, and a kernel can access at most "
                                                "{}",
                                                device_->info().name, count, to_text(size), to_text(limit))};
  }
  return pool_->acquire(size, MemoryKind::activations, MemoryUsage::device);
}

void VulkanExecutor::release(Buffer buffer) {
  // Unless it is moved below, the destructor of `buffer` gives it to the pool at the end of this function.
  if (!busy_ || !pool_->is_class_full(buffer.size(), MemoryUsage::device)) return;
  // The pool would free the buffer because its size class is full. To make room, the oldest idle buffer leaves the
  // pool, and the stream keeps it alive until the commands that use it have ended. If there is none, the stream keeps
  // `buffer` itself.
  if (!stream_->is_ok()) return wait_until_idle();
  Buffer oldest = pool_->take_oldest_idle(buffer.size(), MemoryUsage::device);
  (void)stream_->keep_alive(oldest ? std::move(oldest) : std::move(buffer));
}

void VulkanExecutor::wait_until_idle() {
  if (stream_ == nullptr || sync()) return;
  if (!device_->is_lost()) device_->api().vkDeviceWaitIdle(device_->handle());
}

Status VulkanExecutor::update_submission_statistics(Status done) {
  const compute::vulkan::StreamStatistics now = stream_->statistics();
  if (now.submissions != submissions_) {
    max_submission_commands_ = std::max(max_submission_commands_, now.commands - commands_at_submission_);
    commands_at_submission_ = now.commands;
    submissions_ = now.submissions;
  }
  return done;
}

Status VulkanExecutor::run(const Dispatch& dispatch) {
  busy_ = true;
  return update_submission_statistics(stream_->dispatch(dispatch));
}

Status VulkanExecutor::run_per_element(Dispatch& dispatch, std::size_t count) {
  if (count == 0) return ok();
  const auto groups = std::min<std::size_t>((count + kGroupSize - 1) / kGroupSize, kMaxGroups);
  dispatch.groups = {static_cast<std::uint32_t>(groups), 1, 1};
  dispatch.multiplications = static_cast<double>(count);
  return run(dispatch);
}

VulkanExecutor::Slice VulkanExecutor::slice(Operand operand) {
  // An operand without values is also bound to a kernel, and a bound slice must not be empty.
  return {static_cast<const Buffer*>(operand.memory)->handle(), 0,
          std::max<std::size_t>(operand.count, 1) * sizeof(float)};
}

Status VulkanExecutor::fill(const FillCommand& c) {
  if (c.out.count == 0) return ok();
  busy_ = true;
  return update_submission_statistics(
      stream_->fill(slice(c.out), std::bit_cast<std::uint32_t>(static_cast<float>(c.value))));
}

Status VulkanExecutor::write(Slice to, std::span<const float> from) {
  if (from.empty()) return ok();
  auto staging = pool_->acquire(Bytes{from.size_bytes()}, MemoryKind::staging, MemoryUsage::upload);
  if (!staging) return staging.error();
  std::memcpy(staging->host(), from.data(), from.size_bytes());
  busy_ = true;
  const Status done = update_submission_statistics(
      stream_->copy({staging->handle(), 0, from.size_bytes()}, {to.buffer, to.offset, from.size_bytes()}));
  return done ? stream_->keep_alive(*std::move(staging)) : done;
}

Status VulkanExecutor::read(Slice from, std::span<float> to) {
  if (to.empty()) return sync();
  auto staging = pool_->acquire(Bytes{to.size_bytes()}, MemoryKind::staging, MemoryUsage::download);
  if (!staging) return staging.error();
  const Slice target{staging->handle(), 0, to.size_bytes()};
  busy_ = true;
  auto done = update_submission_statistics(stream_->copy({from.buffer, from.offset, to.size_bytes()}, target));
  if (done) done = update_submission_statistics(stream_->make_host_readable(target));
  if (done) done = sync();
  if (!done) {
    wait_until_idle();  // before the staging memory is released
    return done;
  }
  std::memcpy(to.data(), staging->host(), to.size_bytes());
  return ok();
}

Status VulkanExecutor::flush() {
  auto submitted = stream_->flush();
  return update_submission_statistics(submitted ? ok() : Status{submitted.error()});
}

Status VulkanExecutor::sync() {
  Status done = update_submission_statistics(stream_->sync());
  if (done) busy_ = false;
  return done;
}

void VulkanExecutor::cleanup() { pool_->cleanup(); }

TrainingDeviceStatistics VulkanExecutor::statistics() const {
  const compute::vulkan::BufferPoolStatistics pool = pool_->statistics();
  const compute::vulkan::StreamStatistics stream = stream_->statistics();
  TrainingDeviceStatistics result;
  result.allocated = pool.allocated;
  result.in_use = pool.in_use;
  result.idle = pool.idle;
  result.peak = pool.peak;
  result.max_idle_blocks = pool.peak_idle;
  result.commands = stream.commands;
  result.submissions = stream.submissions;
  result.max_submission_commands = std::max(max_submission_commands_, stream.commands - commands_at_submission_);
  return result;
}

}  // namespace weir::nn::train
