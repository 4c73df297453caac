#pragma once

#include <string>
#include <vector>

#include "base/atomic_file.hpp"
#include "jobs/coordinator.hpp"
#include "runs/run_logs.hpp"
#include "tasks/command_kind.hpp"
#include "tasks/device_choice.hpp"

namespace weir::runs {

/// What a run of one command per item was asked for, before it is checked against the machine.
struct CommandRunRequest {
  tasks::CommandRequest request;   ///< all but `quarantine`; where it has `slots` 0, they follow from gpu_jobs
  std::vector<std::string> items;  ///< what stands for {}
  int jobs = 1;                    ///< commands that run at once
  jobs::RunSettings settings;      ///< rules, files and waits; devices, task and outputs are filled in
};

/// Commands that are ready to be run: their files do not meet, and the machine has a device for them. Made once, run once.
class CommandRun {
 public:
  /// Errors: invalid_argument for two items that would write one file, or words that are no template; io.
  static Result<CommandRun> make(CommandRunRequest request, const tasks::Machine& machine);

  /// On the main thread. Errors: those of jobs::Coordinator::run.
  Result<jobs::Totals> run(jobs::RunObserver& observer, RunLogs& logs) const;

 private:
  CommandRun(FileDescriptor quarantine, jobs::RunSettings settings, std::vector<jobs::Item> items);

  FileDescriptor quarantine_;
  jobs::RunSettings settings_;
  std::vector<jobs::Item> items_;
};

}  // namespace weir::runs
