#pragma once

#include "compute/thread_team.hpp"
#include "enhance/packed_weight_cache.hpp"
#include "enhance/run_plan.hpp"
#include "enhance/upscale_device.hpp"

namespace weir::enhance {

/// What a run works with; a view.
struct RunContext {
  const nn::Network& network;
  const nn::Program& program;
  const compute::Kernels& kernels;
  const UpscaleSettings& settings;
  PackedWeightCache& weights;
  UpscaleDevice& device;
  compute::ThreadTeam& team;
};

/// Makes a picture as planned. Rows of the result before `written` are not written again; afterwards it is the number of
/// rows that were, whatever came of it. Errors: those of Upscaler::run.
Status run_picture(const RunContext& context, const UpscaleJob& job, const RunPlan& plan, int& written);

}  // namespace weir::enhance
