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

/// The implementation of Engine on Vulkan. It is a separate class so that users of Engine need no Vulkan headers.
class DeviceEngine final : public Engine {
 public:
  DeviceEngine(const Graph& graph, const Program& program, std::shared_ptr<compute::vulkan::Instance> instance,
               const compute::vulkan::DeviceInfo& device, const EngineSettings& settings)
      : graph_{graph}, program_{program}, instance_{std::move(instance)}, info_{device}, settings_{settings} {}

  /// Opens the device. If it is open already, it is closed first, and everything on it is freed.
  /// Errors: those of Session::open() and of the test of the matrix kernels.
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
  /// Returns whether the device is open and nothing has failed on it.
  bool is_usable() const { return session_ != nullptr && session_->is_usable(); }
  /// Compares the kernel for cooperative matrices (matrix units of the GPU) with the kernel that does not use them, on
  /// this device, and sets use_matrices_ to whether their results agree. Without such matrices, or with
  /// DevicePrecision::float32, compares nothing and sets it to false.
  Status test_matrix_kernels();
  /// Returns true if plan() stores features as float16; a retry after a fault may still use float32.
  bool half_by_default() const;
  /// Returns the free memory of the device, less a margin for other processes.
  Bytes free_memory() const;
  /// Plans with the limits that the device has now; `host` is the memory that may be used on the host. Ignores
  /// request.max_tile and uses the largest tile for this kind of device.
  Result<DevicePlan> plan_with(Extent input, Bytes host, TilePlanRequest request) const;
  /// Runs the picture once, from result row `next_row` on. First opens the device again if it is not usable.
  Status attempt(const DevicePlan& plan, Orientation orientation, InputRows& input, const EngineOutput& output,
                 const RunControl& control, int& next_row);
  /// Uploads the weights for this element type and orientation, unless they are on the device already.
  Status load_weights(bool half, Orientation orientation);
  // device_engine_faults.cpp
  /// Plans the picture of `plan` again, with this element type and side of tiles.
  Result<DevicePlan> replan(const DevicePlan& plan, bool half, int tile) const;
  // shrink_tiles() and switch_to_float32() change `plan` and return a text for the message. If the change is not
  // possible, they leave `plan` unchanged and return an empty text.
  std::string shrink_tiles(DevicePlan& plan);
  std::string switch_to_float32(DevicePlan& plan);
  /// Prepares a retry, and adds a message to `events`. `step` is 0 (smaller tiles), 1 (float32) or 2 (the device is
  /// opened again). Steps 0 and 1 also open the device again if it is not usable. Returns false if the change is not
  /// possible; then there is no message.
  bool prepare_retry(int step, const Error& fault, DevicePlan& plan, std::vector<std::string>& events);
  // device_engine_speeds.cpp
  /// Returns the speeds of this device and network. The first call reads them from the cache or measures them.
  const std::vector<TileSpeed>& speeds();
  /// Runs a picture of one tile, of `side` + 64 pixels on each axis, two times, and adds the speed of the second run
  /// to speeds_. `seconds` receives the time of this run. Returns false if a run fails, or if such a tile does not fit.
  bool measure(int side, double& seconds);
  /// Returns the cache key of the speeds: a hash of device, driver, precision and network.
  std::uint64_t speed_key() const;

  const Graph& graph_;
  const Program& program_;
  std::shared_ptr<compute::vulkan::Instance> instance_;
  compute::vulkan::DeviceInfo info_;
  EngineSettings settings_;
  EngineCounts counts_;
  DeviceWeights packed_weights_;
  std::unique_ptr<Session> session_;
  compute::vulkan::Buffer weights_;    // declared after session_, because it must be destroyed before the session
  std::array<bool, 4> loaded_form_{};  // of weights_: float16, transpose, mirror_rows, mirror_columns
  bool use_matrices_ = false;
  std::string warning_;  // message for the events of the next run; empty: none
  std::vector<TileSpeed> speeds_;
  bool speeds_known_ = false;  // true: speeds() has read or measured the speeds
};

}  // namespace weir::nn::vulkan
