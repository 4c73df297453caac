#pragma once

#include "jobs/coordinator.hpp"
#include "runs/run_logs.hpp"
#include "tasks/film/film_list.hpp"
#include "tasks/film/film_plan.hpp"
#include "tasks/network_cache.hpp"

namespace weir::runs {

/// Request for a run over films, whose inputs are listed and whose network is found. The referenced objects must outlive
/// it.
struct FilmRunRequest {
  const film::FilmRequest& request;
  const film::FilmList& list;
  const tasks::NetworkCache& network_cache;
  /// Devices, rules, outputs, timeouts and files. run_films() sets the other fields: task, task_settings, unit,
  /// worker_command, prerequisites and ram_limit.
  jobs::RunSettings settings;
};

/// Enlarges films with a coordinator and one worker process per device; call it on the main thread. Errors: those of
/// jobs::Coordinator::run.
Result<jobs::Totals> run_films(const FilmRunRequest& run, jobs::RunObserver& observer, RunLogs& logs);

}  // namespace weir::runs
