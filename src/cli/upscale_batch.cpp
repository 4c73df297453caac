#include "cli/upscale_batch.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <fmt/format.h>

#include "base/atomic_file.hpp"
#include "base/system_cpus.hpp"
#include "base/text.hpp"
#include "cli/batch_reporter.hpp"
#include "cli/batch_setup.hpp"
#include "cli/defaults.hpp"
#include "cli/list_report.hpp"
#include "jobs/coordinator.hpp"
#include "jobs/run_here.hpp"
#include "nn/vulkan/gpu.hpp"
#include "observe/metrics_endpoint.hpp"

namespace weir::cli {
namespace {

std::vector<jobs::Item> items_of(const UpscaleBatch& batch) {
  std::vector<jobs::Item> items;
  items.reserve(batch.list.items.size());
  for (const auto& picture : batch.list.items) items.push_back(tasks::upscale_item(picture, batch.request));
  return items;
}

/// Standard input as an open file that workers inherit. Empty if no item needs it.
Result<FileDescriptor> share_standard_input(const tasks::PictureList& list) {
  for (const auto& picture : list.items) {
    if (!picture.source.bytes) continue;
    FileDescriptor file{memfd_create("weir-standard-input", MFD_CLOEXEC)};
    const auto& bytes = *picture.source.bytes;
    if (!file) return Error{Errc::over_budget, "standard input cannot be handed on: " + errno_text(errno)};
    const std::string_view all{reinterpret_cast<const char*>(bytes.data()), bytes.size()};
    if (auto written = write_all(file.get(), all, "standard input"); !written)
      return Error{Errc::over_budget, "it cannot be handed on: " + written.error().what};
    return file;
  }
  return FileDescriptor{};
}

/// Bytes of standard input, which the system keeps for all workers beside what the processes hold.
Bytes shared_bytes(const tasks::PictureList& list) {
  Bytes sum;
  for (const auto& picture : list.items) sum += Bytes{picture.source.bytes ? picture.source.bytes->size() : 0};
  return sum;
}

jobs::RecordRules picture_rules(const Arguments& args) {
  jobs::RecordRules rules = record_rules(args);
  rules.use_damaged = args.damaged == media::Damaged::use;
  return rules;
}

jobs::RunSettings run_settings(const UpscaleBatch& batch, std::vector<jobs::WorkerDevice> devices, int standard_input) {
  const Arguments& args = batch.invocation.args();
  tasks::UpscaleRequest request = batch.request;
  request.standard_input_fd = standard_input;
  jobs::RunSettings settings;
  settings.task = tasks::kUpscale;
  settings.settings = tasks::to_json(request);
  settings.worker_command = worker_command();
  if (standard_input >= 0) settings.inherited = {standard_input};
  settings.devices = std::move(devices);
  settings.ram = batch.request.upscale.ram - shared_bytes(batch.list);
  settings.rules = picture_rules(args);
  settings.same_pixels = args.batch.same_pixels;
  settings.outputs = args.output;
  settings.stall = std::chrono::duration<double>{args.batch.stall_s};
  settings.lease_wait = args.guard.wait;
  settings.max_items_per_worker = static_cast<std::size_t>(args.batch.max_items_per_worker);
  settings.on_full_disk = args.batch.stop_on_full_disk ? jobs::OnFullDisk::stop : jobs::OnFullDisk::wait;
  settings.pause_file = args.batch.pause_file;
  settings.metrics_file = args.batch.metrics_file;
  if (const auto state = user_state_folder(batch.invocation.environment); !state.empty())
    settings.needs_file = state / "needs.json";
  return settings;
}

}  // namespace

Result<std::vector<jobs::WorkerDevice>> worker_devices(const Arguments& args) {
  std::vector<jobs::WorkerDevice> devices;
  for (const auto& named : args.devices) {
    const std::size_t cores = named.cores.empty() ? allowed_cpus().size() : named.cores.size();
    const int threads = args.threads.value_or(usable_threads(cores, cpu_quota()));
    auto device = jobs::cpu_device(named.name, named.cores, threads);
    if (!device) return Error{device.error().code, "--device: " + device.error().what};
    if (named.is_gpu()) {
      device->identity.clear();  // until tasks::reach_gpus() has found it
      device->vram = args.vram.value_or(Bytes{});
    }
    devices.push_back(*std::move(device));
  }
  return devices;
}

void tell_software(const enhance::UpscaleSettings& upscale, observe::Log& log) {
  if (upscale.gpu != nullptr && upscale.gpu->software_by_default)
    log.warning(fmt::format("no GPU here: {} is a software device, slower than --device cpu", upscale.gpu->info.name));
}

Ending nothing_fits(Bytes ram) {
  return {Exit::nothing_started,
          fmt::format("nothing could start: every item needs more memory than the line of {}", to_text(ram))};
}

Ending run_single(const UpscaleBatch& batch, std::stop_token stop) {
  const Arguments& args = batch.invocation.args();
  tasks::UpscaleRequest request = batch.request;
  request.standard_input = batch.list.items.empty() ? nullptr : batch.list.items.front().source.bytes;
  auto task = tasks::make_upscale_task(
      request, {request.upscale.ram, request.upscale.device.memory, request.upscale.threads, {}});
  if (!task)
    return {task.error().code == Errc::invalid_argument ? Exit::wrong_usage : Exit::nothing_started, task.error().what};
  observe::Log log = make_log(args);
  tell_list(batch.list, log);
  tell_software(batch.request.upscale, log);
  BatchReporter reporter{args, log};
  const auto items = items_of(batch);
  const auto rules = picture_rules(args);
  const auto totals = jobs::RunHere{items,    **task,
                                    rules,    tasks::upscale_identity(batch.shelf, batch.request),
                                    reporter, args.devices.front().name}
                          .run(std::move(stop));
  reporter.summary(totals);
  return ending_of(totals, reporter.output_problem(), nothing_fits(request.upscale.ram));
}

Ending run_batch(const UpscaleBatch& batch, std::vector<jobs::WorkerDevice> devices) {
  const Arguments& args = batch.invocation.args();
  const auto standard_input = share_standard_input(batch.list);
  if (!standard_input) return {Exit::nothing_started, standard_input.error().what};
  observe::EventLog events;
  observe::Metrics metrics;
  std::unique_ptr<observe::MetricsEndpoint> endpoint;
  if (auto opened = open_logs(args, batch.invocation.environment, events, metrics, endpoint); !opened)
    return logs_failed(opened.error());
  observe::Log log = make_log(args);
  tell_list(batch.list, log);
  tell_software(batch.request.upscale, log);
  BatchReporter reporter{args, log};
  const auto items = items_of(batch);
  const auto settings = run_settings(batch, std::move(devices), standard_input->get());
  jobs::Coordinator coordinator{settings, items,  tasks::upscale_identity(batch.shelf, batch.request),
                                reporter, events, metrics};
  const auto totals = coordinator.run();
  if (!totals) return {Exit::nothing_started, totals.error().what};
  reporter.summary(*totals);
  return with_logs(ending_of(*totals, reporter.output_problem(), nothing_fits(batch.request.upscale.ram)), events,
                   metrics, log);
}

}  // namespace weir::cli
