#include "runs/picture_run.hpp"

#include <string_view>
#include <utility>

#include "base/atomic_file.hpp"
#include "base/memory_file.hpp"
#include "jobs/item_events.hpp"
#include "jobs/run_here.hpp"
#include "runs/logged_observer.hpp"
#include "runs/worker_program.hpp"

namespace weir::runs {
namespace {

std::vector<jobs::Item> items_of(const PictureRun& run) {
  std::vector<jobs::Item> items;
  items.reserve(run.list.items.size());
  for (const auto& picture : run.list.items) items.push_back(tasks::upscale_item(picture, run.request));
  return items;
}

/// Standard input as an open file that workers inherit. Empty if no item needs it.
Result<FileDescriptor> share_standard_input(const tasks::PictureList& list) {
  for (const auto& picture : list.items) {
    if (!picture.source.bytes) continue;
    auto file = make_memory_file("weir-standard-input");
    const auto& bytes = *picture.source.bytes;
    if (!file) return Error{Errc::over_budget, "standard input cannot be handed on: " + file.error().what};
    const std::string_view all{reinterpret_cast<const char*>(bytes.data()), bytes.size()};
    if (auto written = write_all(file->get(), all, "standard input"); !written)
      return Error{Errc::over_budget, "it cannot be handed on: " + written.error().what};
    return *std::move(file);
  }
  return FileDescriptor{};
}

/// Bytes of standard input, which the system keeps for all workers beside what the processes hold.
Bytes shared_bytes(const tasks::PictureList& list) {
  Bytes sum;
  for (const auto& picture : list.items) sum += Bytes{picture.source.bytes ? picture.source.bytes->size() : 0};
  return sum;
}

/// With what the pictures decide.
jobs::RunSettings run_settings(const PictureRun& run, int standard_input) {
  tasks::UpscaleRequest request = run.request;
  request.standard_input_fd = standard_input;
  jobs::RunSettings settings = run.how;
  settings.task = tasks::kUpscale;
  settings.settings = tasks::to_json(request);
  settings.worker_command = worker_command();
  if (standard_input >= 0) settings.inherited = {standard_input};
  settings.ram = run.request.upscale.ram - shared_bytes(run.list);
  return settings;
}

}  // namespace

Result<jobs::Totals> run_in_this_process(const PictureRun& run, jobs::RunObserver& observer, RunLogs& logs,
                                         std::stop_token stop) {
  tasks::UpscaleRequest request = run.request;
  request.standard_input = run.list.items.empty() ? nullptr : run.list.items.front().source.bytes;
  auto task = tasks::make_upscale_task(
      request, {request.upscale.ram, request.upscale.device.memory, request.upscale.threads, {}});
  if (!task) return task.error();
  const auto items = items_of(run);
  LoggedObserver logged{observer, logs, run.how.pause_file, stop};
  jobs::RunHere here{items,         **task,
                     run.how.rules, tasks::upscale_identity(run.shelf, run.request),
                     logged,        run.how.devices.front().name};
  jobs::tell_run_start(items.size(), request.upscale.ram, request.upscale.ram, logs.events);
  jobs::Totals totals = here.run(std::move(stop));
  jobs::tell_run_end(totals, logs.events);
  if (!run.how.metrics_file.empty()) (void)logs.metrics.write(run.how.metrics_file);  // it keeps what went wrong
  return totals;
}

Result<jobs::Totals> run_on_workers(const PictureRun& run, jobs::RunObserver& observer, RunLogs& logs) {
  const auto standard_input = share_standard_input(run.list);
  if (!standard_input) return standard_input.error();
  const auto items = items_of(run);
  const auto settings = run_settings(run, standard_input->get());
  jobs::Coordinator coordinator{settings, items,       tasks::upscale_identity(run.shelf, run.request),
                                observer, logs.events, logs.metrics};
  return coordinator.run();
}

}  // namespace weir::runs
