#include "cli/batch_setup.hpp"

#include <filesystem>
#include <system_error>

#include <fmt/format.h>

#include "cli/profile.hpp"
#include "cli/report.hpp"

namespace weir::cli {

namespace fs = std::filesystem;

std::vector<std::string> worker_command() {
  std::error_code problem;
  const fs::path program = fs::read_symlink("/proc/self/exe", problem);
  const bool there = !problem && fs::exists(program, problem);
  return {there ? program.native() : "/proc/self/exe", "worker"};
}

Status open_logs(const Arguments& args, const Environment& environment, observe::EventLog& events,
                 const observe::Metrics& metrics, std::unique_ptr<observe::MetricsEndpoint>& endpoint) {
  if (const std::string file = log_file(args, environment); !file.empty()) {
    if (auto opened = events.add_file(file); !opened)
      return Error{opened.error().code, "--log: " + opened.error().what};
  }
  if (args.batch.metrics.empty()) return ok();
  auto opened = observe::MetricsEndpoint::open(args.batch.metrics, metrics);
  if (!opened) return Error{opened.error().code, "--metrics: " + opened.error().what};
  endpoint = *std::move(opened);
  return ok();
}

Ending logs_failed(const Error& error) {
  return {error.code == Errc::invalid_argument ? Exit::wrong_usage : Exit::nothing_started, error.what};
}

Ending with_logs(Ending ending, const observe::EventLog& events, const observe::Metrics& metrics, observe::Log& log) {
  const auto tell = [&](const std::string& name, const std::optional<Error>& problem) {
    if (!problem) return;
    if (ending.exit == Exit::done)
      ending = {Exit::some_failed, name + problem->what};
    else
      log.error(name + problem->what);
  };
  tell("the log: ", events.problem());
  tell("--metrics-file: ", metrics.problem());
  return ending;
}

jobs::RecordRules record_rules(const Arguments& args) {
  jobs::RecordRules rules;
  rules.keep = args.checkpoints.keep;
  rules.folder = args.checkpoints.folder;
  rules.overwrite = args.overwrite;
  rules.verify = args.checkpoints.verify;
  rules.upgrade = args.checkpoints.upgrade;
  rules.retry_failed = args.checkpoints.retry_failed;
  return rules;
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
