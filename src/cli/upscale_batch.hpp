#pragma once

#include <stop_token>
#include <vector>

#include "cli/command.hpp"
#include "jobs/device.hpp"
#include "observe/log.hpp"
#include "tasks/network_shelf.hpp"
#include "tasks/picture_list.hpp"
#include "tasks/upscale_kind.hpp"

namespace weir::cli {

/// Pictures that become files, with everything that is known of them before the work. The references must outlive it.
struct UpscaleBatch {
  const Invocation& invocation;
  const tasks::UpscaleRequest& request;
  const tasks::PictureList& list;
  const tasks::NetworkShelf& shelf;
};

/// One picture, in this process.
Ending run_single(const UpscaleBatch& batch, std::vector<jobs::WorkerDevice> devices, std::stop_token stop);

/// Several, by a coordinator and a worker for each device.
Ending run_batch(const UpscaleBatch& batch, std::vector<jobs::WorkerDevice> devices);

/// That the GPU that was chosen is none.
void tell_software(const enhance::UpscaleSettings& upscale, observe::Log& log);

Ending nothing_fits(Bytes ram);

}  // namespace weir::cli
