#include "runs/picture_run.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

#include "base/atomic_file.hpp"
#include "base/memory_file.hpp"
#include "jobs/in_process_run.hpp"
#include "jobs/item_events.hpp"
#include "runs/logging_observer.hpp"
#include "runs/worker_program.hpp"

namespace weir::runs {
namespace {

std::vector<jobs::Item> make_items(const PictureRunRequest& run) {
  std::vector<jobs::Item> items;
  items.reserve(run.list.items.size());
  for (const auto& picture : run.list.items) items.push_back(tasks::make_upscale_item(picture, run.request));
  return items;
}

/// Returns an open file with the content of standard input, which workers inherit; an empty descriptor if no picture
/// comes from standard input.
Result<FileDescriptor> share_standard_input(const tasks::PictureList& list) {
  for (const auto& picture : list.items) {
    if (!picture.source.bytes) continue;
    auto file = make_memory_file("weir-standard-input");
    const auto& bytes = *picture.source.bytes;
    if (!file) return Error{Errc::over_budget, "standard input cannot be passed to the workers: " + file.error().what};
    const std::string_view all{reinterpret_cast<const char*>(bytes.data()), bytes.size()};
    if (auto written = write_all(file->get(), all, "standard input"); !written)
      return Error{Errc::over_budget, "it cannot be passed to the workers: " + written.error().what};
    return *std::move(file);
  }
  return FileDescriptor{};
}

/// Returns the size of standard input. It is subtracted from the memory limit of the processes, since the file that
/// they share is in memory too.
Bytes standard_input_bytes(const tasks::PictureList& list) {
  Bytes sum;
  for (const auto& picture : list.items) sum += Bytes{picture.source.bytes ? picture.source.bytes->size() : 0};
  return sum;
}

/// Sets the fields that follow from the request for the pictures.
jobs::RunSettings run_settings(const PictureRunRequest& run, int standard_input) {
  tasks::UpscaleRequest request = run.request;
  request.standard_input_fd = standard_input;
  jobs::RunSettings settings = run.settings;
  // The files of all workers together stay within the size of --spill.
  const std::size_t workers = std::min(settings.devices.size(), run.list.items.size());
  request.upscale.spill_limit = Bytes{request.upscale.spill_limit.count() / std::max<std::size_t>(workers, 1)};
  settings.task = tasks::kUpscaleKind;
  settings.task_settings = tasks::to_json(request);
  settings.worker_command = worker_arguments();
  if (standard_input >= 0) settings.inherited_descriptors = {standard_input};
  settings.ram_limit = run.request.upscale.ram - standard_input_bytes(run.list);
  return settings;
}

}  // namespace

Result<jobs::Totals> run_in_this_process(const PictureRunRequest& run, jobs::RunObserver& observer, RunLogs& logs,
                                         std::stop_token stop) {
  tasks::UpscaleRequest request = run.request;
  request.standard_input = run.list.items.empty() ? nullptr : run.list.items.front().source.bytes;
  auto task = tasks::make_upscale_task(request, {.ram = request.upscale.ram,
                                                 .vram = request.upscale.device_settings.memory,
                                                 .threads = request.upscale.threads,
                                                 .device = {}});
  if (!task) return task.error();
  const auto items = make_items(run);
  LoggingObserver observer_with_log{observer, logs, run.settings.pause_file, stop};
  jobs::InProcessRun in_process{items,
                                **task,
                                run.settings.rules,
                                tasks::make_identity_source(run.network_cache, run.request),
                                observer_with_log,
                                run.settings.devices.front().name};
  jobs::log_run_start(items.size(), request.upscale.ram, request.upscale.ram, jobs::RunSettings{}.unit, logs.events);
  jobs::Totals totals = in_process.run(std::move(stop));
  jobs::log_run_end(totals, logs.events);
  // The caller reads a write error from last_write_error().
  if (!run.settings.metrics_file.empty()) (void)logs.metrics.write(run.settings.metrics_file);
  return totals;
}

Result<jobs::Totals> run_on_workers(const PictureRunRequest& run, jobs::RunObserver& observer, RunLogs& logs) {
  const auto standard_input = share_standard_input(run.list);
  if (!standard_input) return standard_input.error();
  const auto items = make_items(run);
  const auto settings = run_settings(run, standard_input->get());
  jobs::Coordinator coordinator{settings, items,       tasks::make_identity_source(run.network_cache, run.request),
                                observer, logs.events, logs.metrics};
  return coordinator.run();
}

}  // namespace weir::runs
