#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/arguments.hpp"
#include "cli/exit.hpp"
#include "jobs/run.hpp"
#include "observe/event_log.hpp"
#include "observe/log.hpp"
#include "observe/metrics_endpoint.hpp"

namespace weir::cli {

/// This program; by its own file, so that an update of it in the middle of a run starts no other version.
std::vector<std::string> worker_command();

/// Opens what --log or the profile, and --metrics name. Errors: invalid_argument for a wrong address; io.
Status open_logs(const Arguments& args, const Environment& environment, observe::EventLog& events,
                 const observe::Metrics& metrics, std::unique_ptr<observe::MetricsEndpoint>& endpoint);

/// How a failure of open_logs() ends the command.
Ending logs_failed(const Error& error);

/// How a command ends whose log or metrics could not be written: that is told, and where all else was done the status is 1.
Ending with_logs(Ending ending, const observe::EventLog& events, const observe::Metrics& metrics, observe::Log& log);

/// What the flags say of checkpoints.
jobs::RecordRules record_rules(const Arguments& args);

observe::Log make_log(const Arguments& args);

/// How a run of several items ends the command; `refused` is for one whose items were all refused, `output_problem` for
/// results that could not be printed.
Ending ending_of(const jobs::Totals& totals, const std::optional<Error>& output_problem, const Ending& refused);

}  // namespace weir::cli
