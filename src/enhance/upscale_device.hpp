#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "enhance/picture_upscaler.hpp"
#include "nn/program.hpp"

namespace weir::enhance {

/// The GPU of an upscaler: opened when it is first needed, kept from picture to picture, given up if it cannot be opened.
/// Not thread-safe.
class UpscaleDevice {
 public:
  /// All must outlive it.
  UpscaleDevice(const nn::Graph& graph, const nn::Program& program, const UpscaleSettings& settings)
      : graph_{graph}, program_{program}, settings_{settings} {}

  /// A GPU was asked for and not given up.
  bool is_enabled() const { return settings_.gpu != nullptr && !disabled_; }
  /// Errors: those of nn::vulkan::Engine::create.
  Status open();
  void disable(const Error& why);
  nn::vulkan::Engine& engine() { return *engine_; }
  /// What the device's memory and the host's have room for. Errors: over_budget with the numbers; invalid_argument.
  Result<nn::vulkan::DevicePlan> plan(nn::Extent input, Bytes host, nn::vulkan::TransferFormat transfer) {
    return engine_->plan(input, host, transfer);
  }

  /// Memory of the process that the device keeps for the next picture, whose plan counts it.
  Bytes kept_host_memory() const;

  /// What is to be said of it comes here; each text is said once for each device.
  void add_event(std::string text) { events_.push_back(std::move(text)); }
  std::vector<std::string>& events() { return events_; }
  void move_events_to(std::vector<std::string>& events);
  std::optional<DeviceReport> report() const;

 private:
  const nn::Graph& graph_;
  const nn::Program& program_;
  const UpscaleSettings& settings_;
  std::unique_ptr<nn::vulkan::Engine> engine_;
  std::vector<std::string> events_;
  bool disabled_ = false;
};

}  // namespace weir::enhance
