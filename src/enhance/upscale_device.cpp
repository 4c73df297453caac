#include "enhance/upscale_device.hpp"

#include <utility>

#include <fmt/format.h>

#include "nn/vulkan/gpu.hpp"

namespace weir::enhance {

Status UpscaleDevice::open() {
  if (engine_) return ok();
  const nn::vulkan::Gpu& gpu = *settings_.gpu;
  nn::vulkan::EngineSettings settings = settings_.device_settings;
  if (settings_.precision == Precision::exact) settings.precision = nn::vulkan::DevicePrecision::float32;
  auto engine = nn::vulkan::Engine::create(graph_, program_, gpu.instance, gpu.info, settings);
  if (!engine) return engine.error();
  engine_ = *std::move(engine);
  return ok();
}

void UpscaleDevice::disable(const Error& why) {
  disabled_ = true;
  add_event(fmt::format("{}; the CPU is used instead", why.what));
}

Bytes UpscaleDevice::kept_host_memory() const {
  if (!engine_ || settings_.gpu->info.kind != compute::vulkan::DeviceKind::software) return {};
  return engine_->memory().allocated;
}

void UpscaleDevice::move_events_to(std::vector<std::string>& events) {
  events.insert(events.end(), events_.begin(), events_.end());
  events_.clear();
}

std::optional<DeviceReport> UpscaleDevice::report() const {
  if (!engine_) return std::nullopt;
  return DeviceReport{engine_->device_name(), engine_->counts(), engine_->memory()};
}

}  // namespace weir::enhance
