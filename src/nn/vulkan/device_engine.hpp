#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "nn/vulkan/device_weights.hpp"
#include "nn/vulkan/engine.hpp"
#include "nn/vulkan/session.hpp"
#include "nn/vulkan/tile_speed.hpp"

namespace weir::nn::vulkan {

/// The engine that there is; a class of its own so that who uses one needs no Vulkan.
class DeviceEngine final : public Engine {
 public:
  DeviceEngine(const Graph& graph, const Program& program, std::shared_ptr<compute::vulkan::Instance> instance,
               const compute::vulkan::DeviceInfo& device, const EngineSettings& settings)
      : graph_{graph}, program_{program}, instance_{std::move(instance)}, info_{device}, settings_{settings} {}

  /// Opens the device, anew if it was open: everything on it is given up first.
  Status open();

  std::string device_name() const override;
  Result<DevicePlan> plan(Extent input, Bytes host, TransferFormat transfer) override;
  DeviceLimits limits(Bytes host) const override;
  Status run(const DevicePlan& plan, Orientation orientation, InputRows& input, const EngineOutput& output,
             const RunControl& control, int& next_row, std::vector<std::string>& events) override;
  EngineCounts counts() const override { return counts_; }
  EngineMemory memory() const override;
  void cleanup() override {
    if (session_) session_->pool().cleanup();
  }

 private:
  bool is_usable() const { return session_ != nullptr && session_->is_usable(); }
  Status test_matrix_kernels();
  bool half_by_default() const;
  Bytes free_memory() const;
  Result<DevicePlan> plan_with(Extent input, Bytes host, TilePlanRequest request) const;
  Status attempt(const DevicePlan& plan, Orientation orientation, InputRows& input, const EngineOutput& output,
                 const RunControl& control, int& next_row);
  Status load_weights(bool half, Orientation orientation);
  // device_engine_faults.cpp
  Result<DevicePlan> replan(const DevicePlan& plan, bool half, int tile) const;
  // What was done, as messages say it; empty, and the plan is as it was, if that cannot be.
  std::string shrink_tiles(DevicePlan& plan);
  std::string switch_to_float32(DevicePlan& plan);
  bool prepare_retry(int step, const Error& fault, DevicePlan& plan, std::vector<std::string>& events);
  // device_engine_speeds.cpp
  const std::vector<TileSpeed>& speeds();
  bool measure(int side, double& seconds);
  std::uint64_t speed_key() const;

  const Graph& graph_;
  const Program& program_;
  std::shared_ptr<compute::vulkan::Instance> instance_;
  compute::vulkan::DeviceInfo info_;
  EngineSettings settings_;
  EngineCounts counts_;
  DeviceWeights packed_weights_;
  std::unique_ptr<Session> session_;
  compute::vulkan::Buffer weights_;  // after the session: it goes before
  std::array<bool, 4> loaded_form_{};
  bool use_matrices_ = false;
  std::string warning_;
  std::vector<TileSpeed> speeds_;
  bool speeds_known_ = false;
};

}  // namespace weir::nn::vulkan
