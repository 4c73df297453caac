#pragma once

#include "jobs/task.hpp"

namespace weir::tasks {

/// All kinds that a worker of weir knows.
jobs::TaskFactories task_kinds();

}  // namespace weir::tasks
