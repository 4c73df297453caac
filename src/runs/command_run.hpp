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
  /// The command and its rules. CommandRun::make() sets these fields of `request`:
  /// - `quarantine_fd`;
  /// - with `guard.lease_before_start`: `guard.device_request.slots`, how many commands may share a device, is set to
  ///   `request.gpu_jobs` unless it is set already;
  /// - without `guard.lease_before_start`: `guard.device_request.policy` is set to the best accepted device. If
  ///   `request.gpu_jobs` is above 1, the commands get that number in the variable WEIR_SLOTS.
  tasks::CommandRequest request;
  std::vector<std::string> items;  ///< texts that replace {} in the command, one per item
  int jobs = 1;                    ///< number of commands that run at once
  /// Settings of the run. CommandRun::make() sets these fields: task, task_settings, unit, worker_command,
  /// inherited_descriptors, devices, ram_limit, outputs, stall_timeout and stop_grace.
  jobs::RunSettings settings;
};

/// A run of one command per item that is ready to start. Call run() once.
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
