#pragma once

#include "enhance/packed_weight_cache.hpp"
#include "enhance/run_plan.hpp"
#include "enhance/upscale_device.hpp"

namespace weir::enhance {

/// What the process takes once it works: stacks, pages of code and tables that were not touched at planning time,
/// the allocator's slack. Measured (docs/memory.md).
inline constexpr Bytes kWorkingSlack = 4_MiB;

/// Of the process that is to run the plan.
struct ProcessMemory {
  Bytes resident;  ///< when planning began
  Bytes peak;      ///< that a plan must cover whatever the picture takes
};

/// All must outlive the call.
struct PlannerContext {
  const nn::Network& network;
  const nn::Program& program;
  const compute::Kernels& kernels;
  const UpscaleSettings& settings;
  const PackedWeightCache& weights;
  UpscaleDevice& device;
  ProcessMemory process;
};

/// The plan of one picture: stages, what each needs, and whether that stays below the limit.
/// Errors: those of Upscaler::plan.
Result<UpscalePlan> plan_picture(const PlannerContext& context, ExecutionMode mode, const media::PictureInfo& picture,
                                 const media::MediaNeed& decoder, const media::WriteOptions& output);

}  // namespace weir::enhance
