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

/// A run of `weir upscale` for one or several pictures, whose outputs are files. The referenced objects must outlive
/// this struct.
struct UpscaleBatch {
  const Invocation& invocation;
  const tasks::UpscaleRequest& request;
  const tasks::PictureList& list;
  const tasks::NetworkCache& network_cache;
};

/// Enlarges the only picture of the list in this process. `devices`: at least one device; the run uses the first.
/// A stop request interrupts the work.
ExitResult run_single(const UpscaleBatch& batch, std::vector<jobs::WorkerDevice> devices, std::stop_token stop);

/// Enlarges several pictures: this process becomes the coordinator, which starts one worker process for each device.
ExitResult run_batch(const UpscaleBatch& batch, std::vector<jobs::WorkerDevice> devices);

/// Logs a warning if the chosen GPU is a software device that was chosen because there is no other.
void warn_software_device(const enhance::UpscaleSettings& upscale, observe::Log& log);

/// Makes the result for a run in which every item needs more memory than the limit `ram`.
ExitResult nothing_fits_result(Bytes ram);

}  // namespace weir::cli
