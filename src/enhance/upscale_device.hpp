#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "enhance/picture_upscaler.hpp"
#include "nn/program.hpp"

namespace weir::enhance {

/// The GPU of a PictureUpscaler. The upscaler opens it for the first picture and keeps it open for the next ones; if it
/// cannot be opened, the upscaler disables it. Not thread-safe.
class UpscaleDevice {
 public:
  /// Stores references to all arguments; they must outlive this object.
  UpscaleDevice(const nn::Graph& graph, const nn::Program& program, const UpscaleSettings& settings)
      : graph_{graph}, program_{program}, settings_{settings} {}

  /// Returns true if the settings name a GPU and disable() was not called.
  bool is_enabled() const { return settings_.gpu != nullptr && !disabled_; }
  /// Opens the GPU unless it is open already. Errors: those of nn::vulkan::Engine::create.
  Status open();
  /// Turns the GPU off permanently, and adds an event (a message for the user) that names the reason.
  void disable(const Error& why);
  /// Returns the engine; open() must have succeeded.
  nn::vulkan::Engine& engine() { return *engine_; }
  /// Plans a picture within the free memory of the device and `host` bytes of main memory; open() must have succeeded.
  /// `input` is the extent of the network's input. `transfer` is the format in
  /// which pixels are copied to and from the device.
  /// Errors: over_budget (the text has the numbers); invalid_argument.
  Result<nn::vulkan::DevicePlan> plan(nn::Extent input, Bytes host, nn::vulkan::TransferFormat transfer) {
    return engine_->plan(input, host, transfer);
  }

  /// Returns the bytes of this process that a software device (a Vulkan device that computes on the CPU) keeps for the
  /// next picture; 0 for a GPU. The plan of the next picture contains this memory, so the planner subtracts it from the
  /// resident memory.
  Bytes kept_host_memory() const;

  /// Adds a message for the user to the pending events.
  void add_event(std::string text) { events_.push_back(std::move(text)); }
  std::vector<std::string>& events() { return events_; }
  /// Appends the pending events to `events` and clears them, so that each is reported once.
  void move_events_to(std::vector<std::string>& events);
  /// Returns the report of the GPU; nothing if it was never opened.
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
