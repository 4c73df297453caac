#pragma once

#include <functional>
#include <stop_token>
#include <string>

#include "base/paths.hpp"
#include "runs/device_watch.hpp"
#include "tasks/guarded_command.hpp"

namespace weir::runs {

/// How a command came to its end, and at which try.
struct Tried {
  tasks::GuardedEnd end;
  int tries = 0;
};

/// Runs a command under a lease, again up to `retries` times where that can help (tasks::may_retry); each try is written to
/// `watch`. `tell` as of tasks::run_guarded; `failed` is told before another try.
Tried run_command(const tasks::GuardedCommand& command, int retries, const Environment& environment,
                  const std::stop_token& stop, const tasks::Tell& tell,
                  const std::function<void(const std::string&)>& failed, DeviceWatch& watch);

}  // namespace weir::runs
