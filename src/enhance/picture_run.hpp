#pragma once

#include "compute/team.hpp"
#include "enhance/device.hpp"
#include "enhance/run_plan.hpp"
#include "enhance/weights.hpp"

namespace weir::enhance {

/// What a run works with; a view.
struct RunParts {
  const nn::Network& network;
  const nn::Program& program;
  const compute::Kernels& kernels;
  const UpscaleSettings& settings;
  Weights& weights;
  Device& device;
  compute::Team& team;
};

/// Makes a picture as planned. Rows of the result before `written` are not written again; afterwards it is the number of
/// rows that were, whatever came of it. Errors: those of Upscaler::run.
Status run_picture(const RunParts& parts, const UpscaleJob& job, const RunPlan& plan, int& written);

}  // namespace weir::enhance
