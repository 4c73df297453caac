#pragma once

#include <functional>
#include <stop_token>
#include <string>

#include "base/paths.hpp"
#include "runs/device_growth_monitor.hpp"
#include "tasks/guarded_command.hpp"

namespace weir::runs {

/// The result of run_command_with_retries().
struct CommandAttempts {
  tasks::GuardedResult result;  ///< result of the last attempt
  int attempt_count = 0;        ///< number of attempts
};

/// Runs a command with tasks::run_guarded_command(). Runs it again, at most `retries` times, while the result may be
/// better after another attempt (tasks::may_retry). Records each attempt in `monitor`. Calls `on_retry` with a message
/// before each further attempt. `stop`, `callbacks`: as in run_guarded_command(), for every attempt.
CommandAttempts run_command_with_retries(const tasks::GuardedCommand& command, int retries,
                                         const Environment& environment, const std::stop_token& stop,
                                         const tasks::CommandCallbacks& callbacks,
                                         const std::function<void(const std::string&)>& on_retry,
                                         DeviceGrowthMonitor& monitor);

}  // namespace weir::runs
