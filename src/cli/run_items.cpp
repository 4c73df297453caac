#include "cli/run_items.hpp"

#include <filesystem>
#include <utility>

#include "base/atomic_file.hpp"
#include "base/signals.hpp"
#include "cli/batch_setup.hpp"
#include "cli/guard_arguments.hpp"
#include "cli/run_reporter.hpp"
#include "runs/command_run.hpp"
#include "tasks/command_items.hpp"

namespace weir::cli {
namespace {

namespace fs = std::filesystem;
tasks::CommandRequest request_of(const Arguments& args, std::vector<std::string> words, tasks::DeviceWish wish) {
  const GuardArguments& guard = args.guard;
  tasks::CommandRequest request;
  request.words = std::move(words);
  request.guard.wish = std::move(wish);
  request.guard.strict_device = guard.strict_device;
  request.guard.max_leak = guard.max_leak;
  request.guard.limit = guard.limit;
  request.guard.grace = guard.grace;
  request.guard.leased = !guard.gpu_inside;
  if (!guard.variants.empty())
    request.guard.variants = guard.variants;
  else if (guard.need)
    request.guard.variants = {{{}, *guard.need}};
  else
    request.guard.recall = true;
  request.gpu_jobs = guard.gpu_jobs;
  request.retries = guard.retries;
  request.folder = fs::absolute(args.output.empty() ? fs::path{"weir-run"} : fs::path{args.output});
  return request;
}

jobs::RunSettings settings_of(const Arguments& args) {
  jobs::RunSettings settings = run_settings(args);
  settings.rules.again = !args.guard.resume;
  return settings;
}

tasks::Machine look_until_interrupted(const tasks::DeviceWish& wish) {
  const SignalWatch signals{std::chrono::seconds{30}, static_cast<int>(Exit::interrupted), [] {}};
  return tasks::look_at_machine(wish, signals.token());
}

}  // namespace

Ending run_items(const Invocation& invocation) {
  const SignalHold hold;
  const Arguments& args = invocation.args();
  auto list = tasks::split_items(invocation.line.command, tasks::read_lines);
  if (!list) return wrong_usage(list.error().what);
  tasks::DeviceWish wish = wish_of(args.guard);
  wish.need.free = Bytes{};  // what is free counts once a device is ours
  const tasks::Machine machine = look_until_interrupted(wish);
  if (machine.inventory.interrupted) return {Exit::interrupted, refusal_of(machine).what};
  if (machine.choice.order.empty()) return {Exit::nothing_started, refusal_of(machine).what};
  warn_of_silence(machine, args.quiet);
  const auto run = runs::CommandRun::make({.request = request_of(args, std::move(list->words), std::move(wish)),
                                           .items = std::move(list->items),
                                           .jobs = args.guard.jobs,
                                           .how = settings_of(args)},
                                          machine);
  if (!run && run.error().code == Errc::invalid_argument) return wrong_usage(run.error().what);
  if (!run) return {Exit::nothing_started, run.error().what};
  runs::RunLogs logs;
  if (auto opened = open_logs(args, invocation.environment, logs); !opened) return logs_failed(opened.error());
  observe::Log log = make_log(args);
  RunReporter reporter{args, log, logs};
  const auto totals = run->run(reporter, logs);
  if (!totals) return {Exit::nothing_started, totals.error().what};
  reporter.summary(*totals);
  if (!args.guard.junit.empty()) {
    if (auto written = write_file(args.guard.junit, junit_text("weir run", reporter.cases())); !written)
      return {Exit::some_failed, "--junit: " + written.error().what};
  }
  const Ending refused{Exit::nothing_started,
                       "nothing could start: every command was refused for want of a device or memory"};
  return with_logs(ending_of(*totals, reporter.output_problem(), refused), logs, log);
}

}  // namespace weir::cli
