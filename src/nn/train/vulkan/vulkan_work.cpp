#include "nn/train/vulkan/vulkan_work.hpp"

#include <algorithm>
#include <bit>
#include <chrono>
#include <cstring>

#include <fmt/format.h>

namespace weir::nn::train {

using compute::vulkan::MemoryKind;
using compute::vulkan::Where;

namespace {

constexpr std::uint32_t kGroup = 64;  // invocations of the kernels that go value by value

}  // namespace

Result<std::unique_ptr<VulkanWork>> VulkanWork::open(std::shared_ptr<compute::vulkan::Instance> instance,
                                                     const compute::vulkan::DeviceInfo& info,
                                                     const VulkanSettings& settings) {
  std::unique_ptr<VulkanWork> work{new VulkanWork};
  auto device = compute::vulkan::Device::open(std::move(instance), info, settings.faults);
  if (!device) return device.error();
  work->device_ = *std::move(device);
  work->device_line_.set_limit(settings.memory);
  // What is given back may still be used by commands under way: later ones come after them, but the driver does not.
  const compute::vulkan::PoolSettings pool{.max_idle = settings.max_idle,
                                           .before_cleanup = [at = work.get()] { at->end_all(); }};
  work->pool_ = std::make_unique<compute::vulkan::Pool>(*work->device_, work->device_line_, work->host_line_, pool);
  auto stream = compute::vulkan::Stream::create(*work->device_, {.max_commands = settings.max_commands});
  if (!stream) return stream.error();
  work->stream_ = *std::move(stream);
  return work;
}

VulkanWork::~VulkanWork() { stream_.reset(); }

Result<VulkanWork::Buffer> VulkanWork::take(std::size_t count) {
  const Bytes size = Bytes{std::max<std::size_t>(count, 1)} * sizeof(float);
  if (const Bytes reach = device_->info().largest_range; size > reach) {
    return Error{Errc::unsupported, fmt::format("{}: a tensor of {} values takes {}, and its kernels reach {}",
                                                device_->info().name, count, to_text(size), to_text(reach))};
  }
  return pool_->acquire(size, MemoryKind::activations, Where::device);
}

void VulkanWork::retire(Buffer buffer) {
  if (!busy_ || !pool_->is_full(buffer.size(), Where::device)) return;
  // The oldest makes room for it, and goes to the driver not before the commands that use it have ended.
  if (!stream_->good()) return end_all();
  Buffer oldest = pool_->take_oldest(buffer.size(), Where::device);
  (void)stream_->keep(oldest ? std::move(oldest) : std::move(buffer));
}

void VulkanWork::end_all() {
  if (stream_ == nullptr || sync()) return;
  if (!device_->lost()) device_->api().vkDeviceWaitIdle(device_->handle());
}

Status VulkanWork::counted(Status done) {
  const compute::vulkan::StreamStatistics now = stream_->statistics();
  if (now.submissions != submissions_) {
    most_commands_ = std::max(most_commands_, now.commands - commands_before_);
    commands_before_ = now.commands;
    submissions_ = now.submissions;
  }
  return done;
}

Status VulkanWork::run(const Dispatch& dispatch) {
  busy_ = true;
  return counted(stream_->dispatch(dispatch));
}

Status VulkanWork::run_over(Dispatch& dispatch, std::size_t count) {
  if (count == 0) return ok();
  const auto groups = std::min<std::size_t>((count + kGroup - 1) / kGroup, kMostGroups);
  dispatch.groups = {static_cast<std::uint32_t>(groups), 1, 1};
  dispatch.multiplications = static_cast<double>(count);
  return run(dispatch);
}

VulkanWork::Slice VulkanWork::slice(Operand operand) {
  // Without a value there is still a buffer to be bound.
  return {static_cast<const Buffer*>(operand.memory)->handle(), 0,
          std::max<std::size_t>(operand.count, 1) * sizeof(float)};
}

Status VulkanWork::fill(const Fill& c) {
  if (c.out.count == 0) return ok();
  busy_ = true;
  return counted(stream_->fill(slice(c.out), std::bit_cast<std::uint32_t>(static_cast<float>(c.value))));
}

Status VulkanWork::write(Slice to, std::span<const float> from) {
  if (from.empty()) return ok();
  auto staging = pool_->acquire(Bytes{from.size_bytes()}, MemoryKind::staging, Where::upload);
  if (!staging) return staging.error();
  std::memcpy(staging->host(), from.data(), from.size_bytes());
  busy_ = true;
  const Status done =
      counted(stream_->copy({staging->handle(), 0, from.size_bytes()}, {to.buffer, to.offset, from.size_bytes()}));
  return done ? stream_->keep(*std::move(staging)) : done;
}

Status VulkanWork::read(Slice from, std::span<float> to) {
  if (to.empty()) return sync();
  auto staging = pool_->acquire(Bytes{to.size_bytes()}, MemoryKind::staging, Where::download);
  if (!staging) return staging.error();
  const Slice shown{staging->handle(), 0, to.size_bytes()};
  busy_ = true;
  auto done = counted(stream_->copy({from.buffer, from.offset, to.size_bytes()}, shown));
  if (done) done = counted(stream_->show_host(shown));
  if (done) done = sync();
  if (!done) {
    end_all();  // before the staging memory goes
    return done;
  }
  std::memcpy(to.data(), staging->host(), to.size_bytes());
  return ok();
}

Status VulkanWork::flush() {
  auto submitted = stream_->flush();
  return counted(submitted ? ok() : Status{submitted.error()});
}

Status VulkanWork::sync() {
  Status done = counted(stream_->sync());
  if (done) busy_ = false;
  return done;
}

void VulkanWork::cleanup() { pool_->cleanup(); }

DeviceStatistics VulkanWork::statistics() const {
  const compute::vulkan::PoolStatistics pool = pool_->statistics();
  const compute::vulkan::StreamStatistics stream = stream_->statistics();
  DeviceStatistics all;
  all.allocated = pool.allocated;
  all.in_use = pool.in_use;
  all.idle = pool.idle;
  all.peak = pool.peak;
  all.most_idle = pool.most_idle;
  all.commands = stream.commands;
  all.submissions = stream.submissions;
  all.most_commands = std::max(most_commands_, stream.commands - commands_before_);
  return all;
}

}  // namespace weir::nn::train
