#include "cli/run_items.hpp"

#include <algorithm>
#include <filesystem>
#include <map>

#include <fmt/format.h>

#include "base/atomic_file.hpp"
#include "base/signals.hpp"
#include "base/text.hpp"
#include "cli/batch_setup.hpp"
#include "cli/guard_arguments.hpp"
#include "cli/run_reporter.hpp"
#include "device/command_process.hpp"
#include "jobs/coordinator.hpp"
#include "tasks/command_items.hpp"
#include "tasks/command_kind.hpp"
#include "tasks/quarantine.hpp"

namespace weir::cli {
namespace {

namespace fs = std::filesystem;
constexpr auto kLongestItem = std::chrono::hours{24 * 7};  // without --timeout a command may take this long

/// Several sharers of each device only where more are to run at once than there are devices.
int slots_for(int gpu_jobs, std::size_t devices) {
  const int count = static_cast<int>(devices);
  return gpu_jobs > count ? (gpu_jobs + count - 1) / count : 0;
}

tasks::CommandRequest request_of(const Arguments& args, std::vector<std::string> words, const tasks::DeviceWish& wish,
                                 const tasks::Machine& machine, int quarantine) {
  const GuardArguments& guard = args.guard;
  tasks::CommandRequest request;
  request.words = std::move(words);
  request.guard.wish = wish;
  request.guard.strict_device = guard.strict_device;
  request.guard.max_leak = guard.max_leak;
  request.guard.limit = guard.limit;
  request.guard.grace = guard.grace;
  request.guard.leased = !guard.gpu_inside;
  if (!guard.ladder.empty())
    request.guard.ladder = guard.ladder;
  else if (guard.need)
    request.guard.ladder = {{{}, *guard.need}};
  else
    request.guard.recall = true;
  request.gpu_jobs = guard.gpu_jobs;
  request.retries = guard.retries;
  request.folder = fs::absolute(args.output.empty() ? fs::path{"weir-run"} : fs::path{args.output});
  request.quarantine = quarantine;
  if (guard.gpu_inside) {
    // All of them on one card: which one is settled here, so that its lease is what they meet at.
    const device::Device& card = machine.at(machine.choice.order.front());
    request.guard.wish.policy.request = {card.pci ? "pci:" + to_text(*card.pci) : card.uuid};
    if (guard.gpu_jobs > 1) request.guard.environment.emplace_back("WEIR_SLOTS", std::to_string(guard.gpu_jobs));
  } else if (guard.slots == 0) {
    request.guard.wish.slots = slots_for(guard.gpu_jobs, machine.choice.order.size());
  }
  return request;
}

/// Errors: invalid_argument for two items that would write one file.
Result<std::vector<jobs::Item>> items_of(const std::vector<std::string>& texts, const tasks::CommandRequest& request) {
  const bool has_ladder = !request.guard.ladder.front().name.empty();
  const auto made = tasks::CommandTemplate::make(request.words, has_ladder);
  if (!made) return made.error();
  std::vector<jobs::Item> items;
  std::map<fs::path, std::string> writers;
  for (const std::string& text : texts) {
    items.push_back(tasks::command_item(text, request, *made));
    for (const fs::path& output : items.back().outputs) {
      const auto [at, fresh] = writers.emplace(output, text);
      if (fresh) continue;
      const std::string who = at->second == text
                                  ? fmt::format("the item '{}' is there twice, or", printable(text))
                                  : fmt::format("the items '{}' and '{}'", printable(at->second), printable(text));
      return Error{Errc::invalid_argument, fmt::format("{} would write {} twice", who, printable(output.native()))};
    }
  }
  return items;
}

/// All on the same processors: the system shares them out.
Result<std::vector<jobs::WorkerDevice>> seats(int count) {
  std::vector<jobs::WorkerDevice> devices;
  for (int number = 1; number <= count; ++number) {
    auto device = jobs::cpu_device(fmt::format("job-{}", number), {}, 1);
    if (!device) return device.error();
    devices.push_back(*std::move(device));
  }
  return devices;
}

jobs::RunSettings settings_of(const Arguments& args, const tasks::CommandRequest& request,
                              std::vector<jobs::WorkerDevice> devices) {
  jobs::RunSettings settings;
  settings.task = tasks::kCommand;
  settings.settings = tasks::to_json(request);
  settings.unit = "commands";
  settings.worker_command = worker_command();
  settings.inherited = {request.quarantine};
  settings.devices = std::move(devices);
  settings.ram = 1024_GiB;  // what the commands take is their own; the workers take next to nothing
  settings.rules = record_rules(args);
  settings.rules.again = !args.guard.resume;
  settings.outputs = request.folder;
  // A command gives no sign of life but its end: --timeout and --wait bound it.
  const std::chrono::duration<double> bound =
      request.guard.limit
          ? std::chrono::duration<double>{*request.guard.limit + 2 * request.guard.wish.wait} + std::chrono::minutes{2}
          : std::chrono::duration<double>{kLongestItem};
  settings.stall = bound;
  settings.stop_grace = request.guard.grace + device::kEndTime;
  settings.pause_file = args.batch.pause_file;
  settings.metrics_file = args.batch.metrics_file;
  return settings;
}

tasks::Machine look_until_interrupted(const tasks::DeviceWish& wish) {
  const SignalWatch signals{std::chrono::seconds{30}, static_cast<int>(Exit::interrupted), [] {}};
  return tasks::look_at_machine(wish, signals.token());
}

}  // namespace

Ending run_items(const Invocation& invocation) {
  const Arguments& args = invocation.args();
  auto list = tasks::split_items(invocation.line.command, tasks::read_lines);
  if (!list) return wrong_usage(list.error().what);
  tasks::DeviceWish wish = wish_of(args.guard);
  wish.need.free = Bytes{};  // what is free counts once a device is ours
  const tasks::Machine machine = look_until_interrupted(wish);
  if (machine.inventory.interrupted) return {Exit::interrupted, refusal_of(machine).what};
  if (machine.choice.order.empty()) return {Exit::nothing_started, refusal_of(machine).what};
  warn_of_silence(machine, args.quiet);
  const auto quarantine = tasks::Quarantine::make_file();
  if (!quarantine) return {Exit::nothing_started, quarantine.error().what};
  const tasks::CommandRequest request = request_of(args, list->words, wish, machine, quarantine->get());
  const auto items = items_of(list->items, request);
  if (!items) return wrong_usage(items.error().what);
  auto devices = seats(args.guard.jobs);
  if (!devices) return {Exit::nothing_started, devices.error().what};
  observe::EventLog events;
  observe::Metrics metrics;
  std::unique_ptr<observe::MetricsEndpoint> endpoint;
  if (auto opened = open_logs(args, invocation.environment, events, metrics, endpoint); !opened)
    return logs_failed(opened.error());
  observe::Log log = make_log(args);
  RunReporter reporter{args, log, events, metrics};
  const auto settings = settings_of(args, request, *std::move(devices));
  const auto nothing_to_compare = [](const jobs::Item&, const jobs::Json&) { return jobs::Json::object(); };
  jobs::Coordinator coordinator{settings, *items, nothing_to_compare, reporter, events, metrics};
  const auto totals = coordinator.run();
  if (!totals) return {Exit::nothing_started, totals.error().what};
  reporter.summary(*totals);
  if (!args.guard.junit.empty()) {
    if (auto written = write_file(args.guard.junit, junit_text("weir run", reporter.cases())); !written)
      return {Exit::some_failed, "--junit: " + written.error().what};
  }
  const Ending refused{Exit::nothing_started,
                       "nothing could start: every command was refused for want of a device or memory"};
  return with_logs(ending_of(*totals, reporter.output_problem(), refused), events, metrics, log);
}

}  // namespace weir::cli
