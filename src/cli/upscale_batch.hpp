#pragma once

#include <stop_token>
#include <vector>

#include "cli/command.hpp"
#include "jobs/device.hpp"
#include "observe/log.hpp"
#include "tasks/network_cache.hpp"
#include "tasks/picture_list.hpp"
#include "tasks/upscale_kind.hpp"

namespace weir::cli {

/// Pictures that become files, with everything that is known of them before the work. The references must outlive it.
struct UpscaleBatch {
  const Invocation& invocation;
  const tasks::UpscaleRequest& request;
  const tasks::PictureList& list;
  const tasks::NetworkCache& network_cache;
};

/// One picture, in this process.
ExitResult run_single(const UpscaleBatch& batch, std::vector<jobs::WorkerDevice> devices, std::stop_token stop);

/// Several, by a coordinator and a worker for each device.
ExitResult run_batch(const UpscaleBatch& batch, std::vector<jobs::WorkerDevice> devices);

/// That the GPU that was chosen is none.
void warn_software_device(const enhance::UpscaleSettings& upscale, observe::Log& log);

ExitResult nothing_fits_result(Bytes ram);

}  // namespace weir::cli
