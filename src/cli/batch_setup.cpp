#include "cli/batch_setup.hpp"

#include <fmt/format.h>

#include "cli/profile.hpp"
#include "cli/report.hpp"

namespace weir::cli {

Status open_event_log(const Arguments& args, const Environment& environment, runs::RunLogs& logs) {
  if (const std::string file = event_log_path(args, environment); !file.empty()) {
    if (auto opened = logs.events.add_file(file); !opened)
      return Error{opened.error().code, "--log: " + opened.error().what};
  }
  return ok();
}

Status open_logs(const Arguments& args, const Environment& environment, runs::RunLogs& logs) {
  if (auto opened = open_event_log(args, environment, logs); !opened) return opened.error();
  if (const std::string& file = args.batch.metrics_file; !file.empty()) {
    if (auto own = observe::Metrics::check_file(file); !own)
      return Error{own.error().code, "--metrics-file: " + own.error().what};
  }
  if (auto served = logs.serve_metrics(args.batch.metrics); !served)
    return Error{served.error().code, "--metrics: " + served.error().what};
  return ok();
}

ExitResult make_log_failure(const Error& error) {
  return {error.code == Errc::invalid_argument ? ExitStatus::wrong_usage : ExitStatus::nothing_started, error.what};
}

ExitResult add_log_failures(ExitResult result, const runs::RunLogs& logs, observe::Log& log) {
  const auto report_problem = [&](const std::string& name, const std::optional<Error>& problem) {
    if (!problem) return;
    if (result.status == ExitStatus::done)
      result = {ExitStatus::some_failed, name + problem->what};
    else
      log.error(name + problem->what);
  };
  report_problem("the log: ", logs.events.first_error());
  report_problem("--metrics-file: ", logs.metrics.last_write_error());
  return result;
}

jobs::RunSettings make_run_settings(const Arguments& args) {
  jobs::RunSettings settings;
  settings.rules.write_records = args.checkpoints.enabled;
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

ExitResult make_exit_result(const jobs::Totals& totals, const std::optional<Error>& output_problem,
                            const ExitResult& refused) {
  const std::string failed = fmt::format("{} of {} items failed", totals.failed, totals.items);
  const std::size_t done = totals.done + totals.skipped;
  if (totals.fatal && totals.fatal->code == Errc::device_lost && totals.done == 0)
    return {ExitStatus::nothing_started, totals.fatal->what};
  if (totals.interrupted)
    return {
        ExitStatus::interrupted,
        fmt::format("{}; {} of {} items done", totals.fatal ? totals.fatal->what : "interrupted", done, totals.items)};
  if (totals.internal_errors > 0) return {ExitStatus::internal_error, failed, totals.failure_messages};
  if (totals.refused > 0 && totals.refused == totals.items) return refused;
  if (totals.failed > 0) return {ExitStatus::some_failed, failed, totals.failure_messages};
  if (totals.damaged > 0)
    return {ExitStatus::some_failed, damaged_text(totals.damaged, totals.items), totals.damage_messages};
  if (output_problem) return {ExitStatus::some_failed, output_problem->what};
  return {};
}

}  // namespace weir::cli
