#pragma once

#include <functional>
#include <stop_token>
#include <string>

#include "base/paths.hpp"
#include "runs/device_growth_monitor.hpp"
#include "tasks/guarded_command.hpp"

namespace weir::runs {

/// How a command came to its end, and at which try.
struct CommandAttempts {
  tasks::GuardedResult result;
  int attempts = 0;
};

/// Runs a command under a lease, again up to `retries` times where that can help (tasks::may_retry); each try is written to
/// `watch`. `tell` as of tasks::run_guarded; `failed` is told before another try.
CommandAttempts run_command_with_retries(const tasks::GuardedCommand& command, int retries,
                                         const Environment& environment, const std::stop_token& stop,
                                         const tasks::CommandCallbacks& callbacks,
                                         const std::function<void(const std::string&)>& on_retry,
                                         DeviceGrowthMonitor& monitor);

}  // namespace weir::runs
