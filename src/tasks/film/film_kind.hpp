#pragma once

#include <memory>

#include "base/result.hpp"
#include "jobs/decision.hpp"
#include "jobs/task.hpp"
#include "tasks/film/film_plan.hpp"
#include "tasks/network_cache.hpp"

namespace weir::film {

/// Implements jobs::TaskFactory: makes the task that processes all kinds of items of a film run, from the JSON of the
/// FilmRequest. Errors: those of parse_film_request() and tasks::NetworkCache::open().
Result<std::unique_ptr<jobs::Task>> make_film_task_from_json(const jobs::Json& settings,
                                                             const jobs::WorkerResources& resources);

/// Makes the function that returns the identity of a result that would be made now: for segments and films, the name and
/// the hash of the network. `cache` must outlive the function.
jobs::IdentitySource make_film_identity_source(const tasks::NetworkCache& cache, const FilmRequest& request);

}  // namespace weir::film
