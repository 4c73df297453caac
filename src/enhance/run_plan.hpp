#pragma once

#include <optional>
#include <vector>

#include "enhance/geometry.hpp"
#include "enhance/picture_upscaler.hpp"
#include "nn/cpu/packed_weights.hpp"
#include "nn/cpu/strips.hpp"
#include "nn/vulkan/gpu.hpp"

namespace weir::enhance {

/// The device and the arithmetic with which a plan runs the network.
struct ExecutionMode {
  bool on_device = false;                                       ///< on the GPU; otherwise on the CPU
  compute::Arithmetic arithmetic = compute::Arithmetic::int16;  ///< arithmetic on the CPU
};

/// One application of the network to the whole picture. A RunPlan has one stage, or two if the scale of the result is
/// larger than that of the network.
struct Stage {
  Geometry geometry;
  media::PictureInfo in;                              ///< format of the rows that it reads
  media::PictureInfo out;                             ///< format of the rows that it makes
  nn::StripPlan cpu_plan;                             ///< plan on the CPU; empty if device_plan is set
  std::optional<nn::vulkan::DevicePlan> device_plan;  ///< plan on a GPU; if set, it is used instead of cpu_plan
  bool result_on_disk = false;  ///< the sums of eight orientations, or the results of strips, are stored on disk
  double multiplications() const { return device_plan ? device_plan->multiplications : cpu_plan.multiplications; }
  /// Returns the largest number of input rows that are read ahead of the row of the result that is being computed.
  int read_ahead_rows() const { return device_plan ? device_plan->read_ahead_rows : cpu_plan.read_ahead_rows; }
};

/// The details of an UpscalePlan: how the picture is computed.
struct RunPlan {
  ExecutionMode mode;
  std::vector<Stage> stages;
  bool intermediate_on_disk = false;  ///< the picture between two stages is stored on disk, not in memory
  media::WriteOptions output;         ///< output options for which the plan was made
};

/// Number of orientations that test-time augmentation averages: every combination of transposed or not, rows mirrored
/// or not, columns mirrored or not.
inline constexpr int kOrientations = 8;
/// Returns the orientation with index `i`, 0 to 7; index 0 is the unchanged picture.
inline nn::Orientation orientation_of(int i) { return {(i & 1) != 0, (i & 2) != 0, (i & 4) != 0}; }

}  // namespace weir::enhance
