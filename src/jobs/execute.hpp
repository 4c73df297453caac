#pragma once

#include <string>

#include "jobs/decision.hpp"
#include "jobs/publish.hpp"
#include "jobs/task.hpp"

namespace weir::jobs {

/// How one item is to be done here and now.
struct ExecutionOptions {
  std::size_t variant = 0;
  bool replace = false;  ///< an output that is there may be replaced
  bool write_records = true;
  std::filesystem::path records_folder;   ///< of the records; empty: beside the output
  std::string device;                     ///< for the record
  int attempt_number = 1;                 ///< of the attempt
  std::function<int()> stop_signal = {};  ///< Attempt::stop_signal
};

/// What became of it.
struct ExecutionResult {
  AttemptResult attempt;
  double total_s = 0;
  double sync_s = 0;  ///< of these in fsync of outputs' names and records

  bool is_done() const { return !attempt.error; }
};

/// Does one item in this process: hashes the inputs, makes the outputs' folders, runs the task on temporary files and
/// publishes them; a persistent failure is recorded. Whatever happens, the outputs are there whole or as they were, and
/// nothing else is left. Never throws: what the task throws becomes a fault. Errors are in the outcome.
ExecutionResult execute(Task& task, const Item& item, const ExecutionOptions& options,
                        std::function<void(const Progress&)> progress, std::stop_token stop);

}  // namespace weir::jobs
