#pragma once

#include "enhance/packed_weight_cache.hpp"
#include "enhance/run_plan.hpp"
#include "enhance/upscale_device.hpp"

namespace weir::enhance {

/// Memory that the process uses in addition to the planned parts once it works: stacks, pages of code and tables that
/// were not yet touched at planning time, and the slack of the allocator. Measured (docs/memory.md).
inline constexpr Bytes kWorkingSlack = 4_MiB;

/// The memory of the process that will run the plan.
struct ProcessMemory {
  Bytes resident;  ///< resident memory when planning began
  /// Planned (not measured) peak of the process during the precision check; the same whether the check runs or its
  /// verdict is cached. Zero: the mode needs no check. UpscalePlan::ram is at least this.
  Bytes planned_check_peak;
};

/// The objects that the planner uses; the references must outlive the call.
struct PlannerContext {
  const nn::Network& network;
  const nn::Program& program;
  const compute::Kernels& kernels;
  const UpscaleSettings& settings;
  const PackedWeightCache& weights;
  UpscaleDevice& device;
  ProcessMemory process;
};

/// Plans one picture for one execution mode: its stages (applications of the network), the memory of each stage, and
/// the sum. `decoder` is the memory and disk space of the picture's reader.
/// Errors: over_budget if the sum is above the memory limit; other errors as in PictureUpscaler::plan().
Result<UpscalePlan> plan_picture(const PlannerContext& context, ExecutionMode mode, const media::PictureInfo& picture,
                                 const media::MediaNeed& decoder, const media::WriteOptions& output);

}  // namespace weir::enhance
