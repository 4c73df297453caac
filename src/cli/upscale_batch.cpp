#include "cli/upscale_batch.hpp"

#include <chrono>
#include <utility>

#include <fmt/format.h>

#include "cli/batch_reporter.hpp"
#include "cli/batch_setup.hpp"
#include "cli/list_report.hpp"
#include "nn/vulkan/gpu.hpp"
#include "runs/picture_run.hpp"

namespace weir::cli {
namespace {

jobs::RunSettings settings_of(const Invocation& invocation, std::vector<jobs::WorkerDevice> devices) {
  const Arguments& args = invocation.args();
  jobs::RunSettings settings = run_settings(args);
  settings.rules.use_damaged = args.damaged == media::Damaged::use;
  settings.devices = std::move(devices);
  settings.same_pixels = args.batch.same_pixels;
  settings.outputs = args.output;
  settings.stall = std::chrono::duration<double>{args.batch.stall_s};
  settings.lease_wait = args.guard.wait;
  settings.max_items_per_worker = static_cast<std::size_t>(args.batch.max_items_per_worker);
  settings.on_full_disk = args.batch.stop_on_full_disk ? jobs::OnFullDisk::stop : jobs::OnFullDisk::wait;
  if (const auto state = user_state_folder(invocation.environment); !state.empty())
    settings.needs_file = state / "needs.json";
  return settings;
}

runs::PictureRun run_of(const UpscaleBatch& batch, std::vector<jobs::WorkerDevice> devices) {
  return {.request = batch.request,
          .list = batch.list,
          .shelf = batch.shelf,
          .how = settings_of(batch.invocation, std::move(devices))};
}

}  // namespace

void tell_software(const enhance::UpscaleSettings& upscale, observe::Log& log) {
  if (upscale.gpu != nullptr && upscale.gpu->software_by_default)
    log.warning(fmt::format("no GPU here: {} is a software device, slower than --device cpu", upscale.gpu->info.name));
}

Ending nothing_fits(Bytes ram) {
  return {Exit::nothing_started,
          fmt::format("nothing could start: every item needs more memory than the line of {}", to_text(ram))};
}

Ending run_single(const UpscaleBatch& batch, std::vector<jobs::WorkerDevice> devices, std::stop_token stop) {
  const Arguments& args = batch.invocation.args();
  runs::RunLogs logs;
  if (auto opened = open_logs(args, batch.invocation.environment, logs); !opened) return logs_failed(opened.error());
  observe::Log log = make_log(args);
  tell_list(batch.list, log);
  tell_software(batch.request.upscale, log);
  BatchReporter reporter{args, log};
  const auto totals = runs::run_in_this_process(run_of(batch, std::move(devices)), reporter, logs, std::move(stop));
  if (!totals) {
    const bool wrong = totals.error().code == Errc::invalid_argument;
    return {wrong ? Exit::wrong_usage : Exit::nothing_started, totals.error().what};
  }
  reporter.summary(*totals);
  return with_logs(ending_of(*totals, reporter.output_problem(), nothing_fits(batch.request.upscale.ram)), logs, log);
}

Ending run_batch(const UpscaleBatch& batch, std::vector<jobs::WorkerDevice> devices) {
  const Arguments& args = batch.invocation.args();
  runs::RunLogs logs;
  if (auto opened = open_logs(args, batch.invocation.environment, logs); !opened) return logs_failed(opened.error());
  observe::Log log = make_log(args);
  tell_list(batch.list, log);
  tell_software(batch.request.upscale, log);
  BatchReporter reporter{args, log};
  const auto totals = runs::run_on_workers(run_of(batch, std::move(devices)), reporter, logs);
  if (!totals) return {Exit::nothing_started, totals.error().what};
  reporter.summary(*totals);
  return with_logs(ending_of(*totals, reporter.output_problem(), nothing_fits(batch.request.upscale.ram)), logs, log);
}

}  // namespace weir::cli
