#pragma once

#include "enhance/device.hpp"
#include "enhance/run_plan.hpp"
#include "enhance/weights.hpp"

namespace weir::enhance {

/// The plan of one picture: stages, what each needs, and whether that stays below the line. Everything given must outlive
/// the call. Errors: those of Upscaler::plan.
Result<UpscalePlan> plan_picture(const nn::Network& network, const nn::Program& program,
                                 const compute::Kernels& kernels, const UpscaleSettings& settings,
                                 const Weights& weights, Device& device, Way way, const media::PictureInfo& picture,
                                 const media::MediaNeed& decoder, const media::WriteOptions& output);

}  // namespace weir::enhance
