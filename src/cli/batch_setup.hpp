#pragma once

#include <optional>

#include "cli/arguments.hpp"
#include "cli/exit_result.hpp"
#include "jobs/coordinator.hpp"
#include "observe/log.hpp"
#include "runs/run_logs.hpp"

namespace weir::cli {

// Two logs must not be confused: the event log is a file with one JSON object per line, for programs; an observe::Log
// prints messages for the user on standard error.

/// Opens the event log at event_log_path(), the path given by --log or the profile. Does nothing if this path is empty.
/// Errors: io.
Status open_event_log(const Arguments& args, const Environment& environment, runs::RunLogs& logs);

/// Opens the event log, and serves the metrics at the address of --metrics. Errors: invalid_argument for a wrong
/// address; io.
Status open_logs(const Arguments& args, const Environment& environment, runs::RunLogs& logs);

/// Makes the command's result for an error of open_logs(): wrong_usage for invalid_argument, else nothing_started.
ExitResult make_log_failure(const Error& error);

/// Returns `result`. If the event log or the metrics file could not be written, also reports this error: the error of a
/// result that is a success becomes its message, and its status becomes 1 (some_failed); otherwise the error is printed
/// with `log`.
ExitResult add_log_failures(ExitResult result, const runs::RunLogs& logs, observe::Log& log);

/// Makes the settings whose flags are the same for all kinds of runs: rules for the checkpoints (jobs::Record), pause
/// file, metrics file. The caller sets the other settings.
jobs::RunSettings make_run_settings(const Arguments& args);

/// Makes the log that prints messages for the user on standard error; with --quiet it prints only errors.
observe::Log make_log(const Arguments& args);

/// Makes the command's result from the totals of a run. `output_problem`: the error if results could not be printed on
/// standard output; it is used only if the run itself was a success. `refused`: the result to return if all items were
/// refused.
ExitResult make_exit_result(const jobs::Totals& totals, const std::optional<Error>& output_problem,
                            const ExitResult& refused);

}  // namespace weir::cli
