#include "cli/upscale_batch.hpp"

#include <chrono>
#include <utility>

#include <fmt/format.h>

#include "cli/batch_reporter.hpp"
#include "cli/batch_setup.hpp"
#include "cli/list_report.hpp"
#include "cli/upscale_setup.hpp"
#include "nn/vulkan/gpu.hpp"
#include "runs/picture_run.hpp"

namespace weir::cli {
namespace {

runs::PictureRunRequest make_run_request(const UpscaleBatch& batch, std::vector<jobs::WorkerDevice> devices) {
  return {.request = batch.request,
          .list = batch.list,
          .network_cache = batch.network_cache,
          .settings = make_upscale_run_settings(batch.invocation, std::move(devices))};
}

}  // namespace

void warn_software_device(const enhance::UpscaleSettings& upscale, observe::Log& log) {
  if (upscale.gpu != nullptr && upscale.gpu->software_by_default)
    log.warning(fmt::format("no GPU here: {} is a software device, slower than --device cpu", upscale.gpu->info.name));
}

ExitResult nothing_fits_result(Bytes ram) {
  return {ExitStatus::nothing_started,
          fmt::format("nothing could start: every item needs more memory than the limit of {}", to_text(ram))};
}

ExitResult run_single(const UpscaleBatch& batch, std::vector<jobs::WorkerDevice> devices, std::stop_token stop) {
  const Arguments& args = batch.invocation.args();
  runs::RunLogs logs;
  if (auto opened = open_logs(args, batch.invocation.environment, logs); !opened)
    return make_log_failure(opened.error());
  observe::Log log = make_log(args);
  report_list(batch.list.skipped, batch.list.renamed, "picture", log);
  warn_software_device(batch.request.upscale, log);
  BatchReporter reporter{args, log};
  const auto totals =
      runs::run_in_this_process(make_run_request(batch, std::move(devices)), reporter, logs, std::move(stop));
  if (!totals) {
    const bool wrong = totals.error().code == Errc::invalid_argument;
    return {wrong ? ExitStatus::wrong_usage : ExitStatus::nothing_started, totals.error().what};
  }
  reporter.summary(*totals);
  return add_log_failures(
      make_exit_result(*totals, reporter.output_problem(), nothing_fits_result(batch.request.upscale.ram)), logs, log);
}

ExitResult run_batch(const UpscaleBatch& batch, std::vector<jobs::WorkerDevice> devices) {
  const Arguments& args = batch.invocation.args();
  runs::RunLogs logs;
  if (auto opened = open_logs(args, batch.invocation.environment, logs); !opened)
    return make_log_failure(opened.error());
  observe::Log log = make_log(args);
  report_list(batch.list.skipped, batch.list.renamed, "picture", log);
  warn_software_device(batch.request.upscale, log);
  BatchReporter reporter{args, log};
  const auto totals = runs::run_on_workers(make_run_request(batch, std::move(devices)), reporter, logs);
  if (!totals) return {ExitStatus::nothing_started, totals.error().what};
  reporter.summary(*totals);
  return add_log_failures(
      make_exit_result(*totals, reporter.output_problem(), nothing_fits_result(batch.request.upscale.ram)), logs, log);
}

}  // namespace weir::cli
