#pragma once

#include <stop_token>

#include "jobs/coordinator.hpp"
#include "runs/run_logs.hpp"
#include "tasks/network_cache.hpp"
#include "tasks/picture_list.hpp"
#include "tasks/upscale_kind.hpp"

namespace weir::runs {

/// Request for a run over pictures, whose inputs are listed and whose network is found. The referenced objects must
/// outlive it.
struct PictureRunRequest {
  const tasks::UpscaleRequest& request;
  const tasks::PictureList& list;
  const tasks::NetworkCache& network_cache;
  /// Devices, rules, outputs, timeouts and files. run_on_workers() sets the other fields: task, task_settings,
  /// worker_command, inherited_descriptors and ram_limit.
  jobs::RunSettings settings;
};

/// Processes the pictures of a list, usually one, in this process, on the device in `run.request`. Only the first
/// picture may come from standard input. Uses these fields of `run.settings`: rules, pause_file, metrics_file, and the
/// name of the first device. Errors: those of tasks::make_upscale_task.
Result<jobs::Totals> run_in_this_process(const PictureRunRequest& run, jobs::RunObserver& observer, RunLogs& logs,
                                         std::stop_token stop);

/// Processes several pictures with a coordinator and one worker per device; call it on the main thread. Errors: those
/// of jobs::Coordinator::run; over_budget if standard input cannot be passed to the workers.
Result<jobs::Totals> run_on_workers(const PictureRunRequest& run, jobs::RunObserver& observer, RunLogs& logs);

}  // namespace weir::runs
