#pragma once

#include <optional>

#include "cli/arguments.hpp"
#include "cli/exit_result.hpp"
#include "jobs/coordinator.hpp"
#include "observe/log.hpp"
#include "runs/run_logs.hpp"

namespace weir::cli {

/// Opens what --log or the profile names. Errors: io.
Status open_event_log(const Arguments& args, const Environment& environment, runs::RunLogs& logs);

/// The same, and what --metrics names. Errors: invalid_argument for a wrong address; io.
Status open_logs(const Arguments& args, const Environment& environment, runs::RunLogs& logs);

/// How a failure of open_logs() ends the command.
ExitResult make_log_failure(const Error& error);

/// How a command ends whose log or metrics could not be written: that is told, and where all else was done the status is 1.
ExitResult add_log_failures(ExitResult result, const runs::RunLogs& logs, observe::Log& log);

/// How the flags want a run of several items to be done: checkpoints, pauses, metrics.
jobs::RunSettings make_run_settings(const Arguments& args);

observe::Log make_log(const Arguments& args);

/// How a run of several items ends the command; `refused` is for one whose items were all refused, `output_problem` for
/// results that could not be printed.
ExitResult make_exit_result(const jobs::Totals& totals, const std::optional<Error>& output_problem,
                            const ExitResult& refused);

}  // namespace weir::cli
