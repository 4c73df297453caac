#pragma once

#include <string>

#include "jobs/device.hpp"
#include "jobs/task.hpp"

namespace weir::jobs {

/// Runs the worker process: reads its setup from the socket `channel_fd`, binds the process to `device` with `bind` and
/// checks the identity, makes the task with one of `factories`, then processes one item after the other. `device`:
/// value of `weir worker --device`. Returns the exit status of the process:
///   0   the coordinator requested the end of the worker
///   3   the device, its lease or the task is not available
///   4   the coordinator has ended, or its messages cannot be read
///   70  a message has an unknown type or no valid item
int run_worker(int channel_fd, const std::string& device, const TaskFactories& factories, const BindDevice& bind);

}  // namespace weir::jobs
