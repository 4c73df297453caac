#include "cli/batch_setup.hpp"

#include <fmt/format.h>

#include "cli/profile.hpp"
#include "cli/report.hpp"

namespace weir::cli {

Status open_event_log(const Arguments& args, const Environment& environment, runs::RunLogs& logs) {
  if (const std::string file = log_file(args, environment); !file.empty()) {
    if (auto opened = logs.events.add_file(file); !opened)
      return Error{opened.error().code, "--log: " + opened.error().what};
  }
  return ok();
}

Status open_logs(const Arguments& args, const Environment& environment, runs::RunLogs& logs) {
  if (auto opened = open_event_log(args, environment, logs); !opened) return opened.error();
  if (auto served = logs.serve_metrics(args.batch.metrics); !served)
    return Error{served.error().code, "--metrics: " + served.error().what};
  return ok();
}

Ending logs_failed(const Error& error) {
  return {error.code == Errc::invalid_argument ? Exit::wrong_usage : Exit::nothing_started, error.what};
}

Ending with_logs(Ending ending, const runs::RunLogs& logs, observe::Log& log) {
  const auto tell = [&](const std::string& name, const std::optional<Error>& problem) {
    if (!problem) return;
    if (ending.exit == Exit::done)
      ending = {Exit::some_failed, name + problem->what};
    else
      log.error(name + problem->what);
  };
  tell("the log: ", logs.events.problem());
  tell("--metrics-file: ", logs.metrics.problem());
  return ending;
}

jobs::RunSettings run_settings(const Arguments& args) {
  jobs::RunSettings settings;
  settings.rules.keep = args.checkpoints.keep;
  settings.rules.folder = args.checkpoints.folder;
  settings.rules.overwrite = args.overwrite;
  settings.rules.verify = args.checkpoints.verify;
  settings.rules.upgrade = args.checkpoints.upgrade;
  settings.rules.retry_failed = args.checkpoints.retry_failed;
  settings.pause_file = args.batch.pause_file;
  settings.metrics_file = args.batch.metrics_file;
  return settings;
}

observe::Log make_log(const Arguments& args) {
  return observe::Log{args.quiet ? observe::Verbosity::quiet : observe::Verbosity::normal};
}

Ending ending_of(const jobs::Totals& totals, const std::optional<Error>& output_problem, const Ending& refused) {
  const std::string failed = fmt::format("{} of {} items failed", totals.failed, totals.items);
  const std::size_t done = totals.done + totals.skipped;
  if (totals.fatal && totals.fatal->code == Errc::device_lost && totals.done == 0)
    return {Exit::nothing_started, totals.fatal->what};
  if (totals.interrupted)
    return {Exit::interrupted, fmt::format("{}; {} of {} items done", totals.fatal ? totals.fatal->what : "interrupted",
                                           done, totals.items)};
  if (totals.faults > 0) return {Exit::fault, failed, totals.failures};
  if (totals.refused > 0 && totals.refused == totals.items) return refused;
  if (totals.failed > 0) return {Exit::some_failed, failed, totals.failures};
  if (totals.damaged > 0) return {Exit::some_failed, damaged_text(totals.damaged, totals.items), totals.damages};
  if (output_problem) return {Exit::some_failed, output_problem->what};
  return {};
}

}  // namespace weir::cli
