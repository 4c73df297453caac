#include "nn/vulkan/session.hpp"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <utility>

#include "nn/vulkan/device_plan.hpp"
#include "nn/vulkan/engine.hpp"

namespace weir::nn::vulkan {

Result<std::unique_ptr<Session>> Session::open(std::shared_ptr<compute::vulkan::Instance> instance,
                                               const compute::vulkan::DeviceInfo& info,
                                               const EngineSettings& settings) {
  std::unique_ptr<Session> session{new Session};
  auto device = compute::vulkan::LogicalDevice::open(std::move(instance), info, settings.faults);
  if (!device) return device.error();
  session->device_ = *std::move(device);
  session->pool_ = std::make_unique<compute::vulkan::BufferPool>(
      *session->device_, session->device_limit_, session->host_limit_,
      compute::vulkan::BufferPoolSettings{.max_idle = static_cast<std::size_t>(settings.max_idle)});
  auto stream = compute::vulkan::Stream::create(
      *session->device_, {.max_commands = settings.max_commands, .on_dispatch = settings.on_dispatch});
  if (!stream) return stream.error();
  session->stream_ = *std::move(stream);
  const bool has_separate_copies =
      info.queues.has_transfer_queue() && !session->device_->is_device_local(compute::vulkan::MemoryUsage::upload);
  if (!info.has_timeline_semaphores || !(has_separate_copies || settings.always_copy)) return session;
  auto copies = compute::vulkan::Stream::create_transfer_stream(*session->stream_);
  if (!copies) return copies.error();
  session->copy_stream_ = *std::move(copies);
  return session;
}

bool Session::is_usable() const {
  return !device_->is_lost() && stream_->is_ok() && (copy_stream_ == nullptr || copy_stream_->is_ok());
}

Status Session::sync() {
  if (auto ended = stream_->sync(); !ended || copy_stream_ == nullptr) return ended;
  return copy_stream_->sync();
}

void Session::drain() {
  stream_->drain();
  if (copy_stream_) copy_stream_->drain();
}

Result<compute::vulkan::Buffer> Session::upload(std::span<const std::byte> bytes, compute::vulkan::MemoryKind kind) {
  using compute::vulkan::MemoryKind;
  using compute::vulkan::MemoryUsage;
  auto buffer = pool_->acquire(Bytes{bytes.size()}, kind, MemoryUsage::device);
  if (!buffer || bytes.empty()) return buffer;
  const std::size_t chunk_size = std::min<std::size_t>(bytes.size(), kUploadChunk.count());
  auto staging = pool_->acquire(Bytes{chunk_size}, MemoryKind::staging, MemoryUsage::upload);
  if (!staging) return staging.error();
  for (std::size_t done = 0; done < bytes.size(); done += chunk_size) {
    const std::size_t size = std::min(chunk_size, bytes.size() - done);
    std::memcpy(staging->host(), bytes.data() + done, size);
    auto copied = stream_->copy({staging->handle(), 0, size}, {buffer->handle(), done, size});
    if (copied) copied = stream_->sync();
    if (!copied) return copied.error();
  }
  return buffer;
}

}  // namespace weir::nn::vulkan
