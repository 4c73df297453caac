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
  auto device = compute::vulkan::Device::open(std::move(instance), info, settings.faults);
  if (!device) return device.error();
  session->device_ = *std::move(device);
  session->pool_ = std::make_unique<compute::vulkan::Pool>(
      *session->device_, session->device_line_, session->host_line_,
      compute::vulkan::PoolSettings{.max_idle = static_cast<std::size_t>(settings.max_idle)});
  auto stream = compute::vulkan::Stream::create(*session->device_,
                                                {.max_commands = settings.max_commands, .watch = settings.watch});
  if (!stream) return stream.error();
  session->stream_ = *std::move(stream);
  const bool apart = info.queues.apart() && !session->device_->is_device_local(compute::vulkan::Where::upload);
  if (!info.timeline_semaphores || !(apart || settings.always_copy)) return session;
  auto copies = compute::vulkan::Stream::create_beside(*session->stream_);
  if (!copies) return copies.error();
  session->copies_ = *std::move(copies);
  return session;
}

bool Session::good() const { return !device_->lost() && stream_->good() && (copies_ == nullptr || copies_->good()); }

Status Session::sync() {
  if (auto ended = stream_->sync(); !ended || copies_ == nullptr) return ended;
  return copies_->sync();
}

void Session::drain() {
  stream_->drain();
  if (copies_) copies_->drain();
}

Result<compute::vulkan::Buffer> Session::upload(std::span<const std::byte> bytes, compute::vulkan::MemoryKind kind) {
  using compute::vulkan::MemoryKind;
  using compute::vulkan::Where;
  auto buffer = pool_->acquire(Bytes{bytes.size()}, kind, Where::device);
  if (!buffer || bytes.empty()) return buffer;
  const std::size_t piece = std::min<std::size_t>(bytes.size(), kUploadPiece.count());
  auto staging = pool_->acquire(Bytes{piece}, MemoryKind::staging, Where::upload);
  if (!staging) return staging.error();
  for (std::size_t done = 0; done < bytes.size(); done += piece) {
    const std::size_t size = std::min(piece, bytes.size() - done);
    std::memcpy(staging->host(), bytes.data() + done, size);
    auto copied = stream_->copy({staging->handle(), 0, size}, {buffer->handle(), done, size});
    if (copied) copied = stream_->sync();
    if (!copied) return copied.error();
  }
  return buffer;
}

}  // namespace weir::nn::vulkan
