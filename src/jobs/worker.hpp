#pragma once

#include <string>

#include "jobs/device.hpp"
#include "jobs/task.hpp"

namespace weir::jobs {

/// The whole life of a worker: takes its setup from the channel, proves its device, makes the kind ready, then does one
/// item after the other until it is told to end or the coordinator is gone. Returns the exit status: 0 when it was told to
/// end, 3 when its device or its kind could not be had, 4 when the coordinator went away, 70 when that spoke nonsense.
int run_worker(int channel_fd, const std::string& device, const TaskFactories& factories, const BindDevice& bind);

}  // namespace weir::jobs
