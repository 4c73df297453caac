#include "runs/film/film_run.hpp"

#include "runs/worker_program.hpp"
#include "tasks/film/film_kind.hpp"

namespace weir::runs {

Result<jobs::Totals> run_films(const FilmRunRequest& run, jobs::RunObserver& observer, RunLogs& logs) {
  std::vector<jobs::Item> items;
  items.reserve(run.list.items.size());
  for (const film::FilmItem& film : run.list.items) items.push_back(film::make_film_item(film, run.request));
  jobs::RunSettings settings = run.settings;
  settings.task = film::kFilmKind;
  settings.task_settings = film::to_json(run.request);
  settings.unit = "frames";
  settings.worker_command = worker_arguments();
  settings.prerequisites = film::film_prerequisites(run.request);
  settings.ram_limit = run.request.upscale.upscale.ram;
  jobs::Coordinator coordinator{settings, items,       film::make_film_identity_source(run.network_cache, run.request),
                                observer, logs.events, logs.metrics};
  return coordinator.run();
}

}  // namespace weir::runs
