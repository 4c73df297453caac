#pragma once

#include <optional>
#include <vector>

#include "enhance/geometry.hpp"
#include "enhance/picture_upscaler.hpp"
#include "nn/cpu/packed_weights.hpp"
#include "nn/cpu/strips.hpp"
#include "nn/vulkan/gpu.hpp"

namespace weir::enhance {

/// What a plan is made for.
struct ExecutionMode {
  bool on_device = false;
  compute::Arithmetic arithmetic = compute::Arithmetic::int16;  ///< of the CPU
};

/// One application of the network.
struct Stage {
  Geometry geometry;
  media::PictureInfo in;                              ///< what it reads
  media::PictureInfo out;                             ///< what it makes
  nn::StripPlan cpu_plan;                             ///< on the CPU
  std::optional<nn::vulkan::DevicePlan> device_plan;  ///< on a GPU, in its stead
  double multiplications() const { return device_plan ? device_plan->multiplications : cpu_plan.multiplications; }
  int read_ahead_rows() const { return device_plan ? device_plan->read_ahead_rows : cpu_plan.read_ahead_rows; }
};

/// How a picture is made: what an UpscalePlan has inside.
struct RunPlan {
  ExecutionMode mode;
  std::vector<Stage> stages;
  bool intermediate_on_disk = false;  ///< the picture between two stages
  bool results_on_disk = false;       ///< of the eight orientations, and what strips make one after the other
  media::WriteOptions output;         ///< what it was planned for
};

/// The ways in which a network is laid for the mean of --tta.
inline constexpr int kOrientations = 8;
inline nn::Orientation orientation_of(int i) { return {(i & 1) != 0, (i & 2) != 0, (i & 4) != 0}; }

}  // namespace weir::enhance
