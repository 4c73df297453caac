#pragma once

#include <string>
#include <vector>

#include "base/atomic_file.hpp"
#include "jobs/coordinator.hpp"
#include "runs/run_logs.hpp"
#include "tasks/command_kind.hpp"
#include "tasks/device_choice.hpp"

namespace weir::runs {

/// Request for a run of one command per item, before it is checked against the machine.
struct CommandRunRequest {
  /// CommandRun::make() sets `quarantine_fd`, and, if it is 0, `guard.device_request.slots` (from `gpu_jobs`).
  tasks::CommandRequest request;
  std::vector<std::string> items;  ///< texts that replace {} in the command, one per item
  int jobs = 1;                    ///< number of commands that run at once
  jobs::RunSettings settings;      ///< rules and files; CommandRun::make() sets the other fields
};

/// A run of one command per item that is ready to start. Can be run once.
class CommandRun {
 public:
  /// Checks a request and prepares the run. `machine` must have an accepted device. Errors: io; invalid_argument for
  /// two items that would write the same file, or arguments that are not a valid CommandTemplate.
  static Result<CommandRun> make(CommandRunRequest request, const tasks::Machine& machine);

  /// Runs the commands; call it on the main thread. Errors: those of jobs::Coordinator::run.
  Result<jobs::Totals> run(jobs::RunObserver& observer, RunLogs& logs) const;

 private:
  CommandRun(FileDescriptor quarantine, jobs::RunSettings settings, std::vector<jobs::Item> items);

  FileDescriptor quarantine_;  // open file with the devices that the run no longer uses (tasks::Quarantine)
  jobs::RunSettings settings_;
  std::vector<jobs::Item> items_;
};

}  // namespace weir::runs
