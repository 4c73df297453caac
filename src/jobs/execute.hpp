#pragma once

#include <string>

#include "jobs/decision.hpp"
#include "jobs/publish.hpp"
#include "jobs/task.hpp"

namespace weir::jobs {

/// How one item is processed in this process.
struct ExecutionOptions {
  std::size_t variant = 0;                ///< index in Task::variants()
  bool replace = false;                   ///< an existing output may be replaced
  bool write_records = true;              ///< false: inputs are not hashed, and no record is written
  std::filesystem::path records_folder;   ///< empty: records are written beside the first output
  std::string device;                     ///< device name for the record
  int attempt_number = 1;                 ///< number of the attempt at this item in this run, from 1
  std::function<int()> stop_signal = {};  ///< passed on as Attempt::stop_signal
};

/// The result of execute().
struct ExecutionResult {
  AttemptResult attempt;  ///< attempt.error is also set for errors outside the task, such as in publishing
  double total_s = 0;     ///< duration of the call
  double sync_s = 0;      ///< the part of total_s spent in fsync of records and of the outputs' folders

  bool is_done() const { return !attempt.error; }
};

/// Processes one item in this process: hashes the inputs (for the record), creates the output folders, runs the task on
/// temporary files and publishes these. Records a persistent failure (FailureKind). In every case each output is either
/// complete or unchanged. Never throws; all errors are in the result. An exception of the task becomes the error
/// over_budget if the system refused memory or a thread (resource_error_of()), else an internal error.
ExecutionResult execute(Task& task, const Item& item, const ExecutionOptions& options,
                        std::function<void(const Progress&)> progress, std::stop_token stop);

}  // namespace weir::jobs
