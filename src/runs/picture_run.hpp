#pragma once

#include <stop_token>

#include "jobs/coordinator.hpp"
#include "runs/run_logs.hpp"
#include "tasks/network_cache.hpp"
#include "tasks/picture_list.hpp"
#include "tasks/upscale_kind.hpp"

namespace weir::runs {

/// Pictures that become files, checked and ready to be done: the inputs are listed, the network is found. The references must
/// outlive it.
struct PictureRunRequest {
  const tasks::UpscaleRequest& request;
  const tasks::PictureList& list;
  const tasks::NetworkCache& network_cache;
  /// How it is to be done: devices, rules, outputs, waits, files. What the pictures themselves decide (task, settings, worker,
  /// memory) is filled in.
  jobs::RunSettings settings;
};

/// One picture, in this process, on the device of the request. Errors: those of tasks::make_upscale_task.
Result<jobs::Totals> run_in_this_process(const PictureRunRequest& run, jobs::RunObserver& observer, RunLogs& logs,
                                         std::stop_token stop);

/// Several pictures, by a coordinator and a worker for each device; on the main thread. Errors: those of
/// jobs::Coordinator::run; over_budget where standard input cannot be handed to the workers.
Result<jobs::Totals> run_on_workers(const PictureRunRequest& run, jobs::RunObserver& observer, RunLogs& logs);

}  // namespace weir::runs
