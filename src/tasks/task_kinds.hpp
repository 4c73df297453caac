#pragma once

#include "jobs/task.hpp"

namespace weir::tasks {

/// Returns the kinds of tasks that a worker process of weir can run: for each name, the function that makes the task.
jobs::TaskFactories task_kinds();

}  // namespace weir::tasks
