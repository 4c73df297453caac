#pragma once

#include <memory>

#include "compute/thread_team.hpp"
#include "enhance/packed_weight_cache.hpp"
#include "enhance/run_plan.hpp"
#include "enhance/runner_cache.hpp"
#include "enhance/upscale_device.hpp"

namespace weir::enhance {

/// The objects that a run uses; the references must outlive the call.
struct RunContext {
  const nn::Network& network;
  const nn::Program& program;
  const compute::Kernels& kernels;
  const UpscaleSettings& settings;
  PackedWeightCache& weights;
  RunnerCache& runners;
  UpscaleDevice& device;
  compute::ThreadTeam& team;
};

/// Enlarges a picture as planned. `written` is the number of rows of the result that the writer has received: 0, or the
/// number after an earlier run of this picture that failed. The run computes these rows again but does not write them
/// again. The call updates `written`, also when it fails. Errors: those of PictureUpscaler::run().
Status run_picture(const RunContext& context, const UpscaleJob& job, const std::shared_ptr<const RunPlan>& plan,
                   int& written);

}  // namespace weir::enhance
