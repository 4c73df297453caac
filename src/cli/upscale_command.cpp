// `weir upscale`: prepares the run, and itself does dry runs and pictures for standard output. upscale_batch.cpp does
// the others.

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <system_error>

#include <fmt/format.h>

#include "base/process_memory.hpp"
#include "base/signals.hpp"
#include "base/standard_streams.hpp"
#include "base/system_cpus.hpp"
#include "base/text.hpp"
#include "cli/batch_setup.hpp"
#include "cli/command.hpp"
#include "cli/defaults.hpp"
#include "cli/list_report.hpp"
#include "cli/model_folders.hpp"
#include "cli/report.hpp"
#include "cli/upscale_batch.hpp"
#include "cli/upscale_setup.hpp"
#include "nn/vulkan/gpu.hpp"
#include "observe/log.hpp"
#include "observe/progress.hpp"
#include "tasks/gpu_worker.hpp"
#include "tasks/network_cache.hpp"
#include "tasks/picture_list.hpp"
#include "tasks/picture_report.hpp"
#include "tasks/upscale_kind.hpp"
#include "tasks/worklist.hpp"

namespace weir::cli {
namespace {

using Clock = std::chrono::steady_clock;

/// Reports the results of dry runs and of pictures that are written to standard output.
class WorklistReporter final : public tasks::WorklistObserver {
 public:
  WorklistReporter(const Arguments& args, observe::Log& log) : args_{args}, log_{log}, meter_{log} {}

  void on_item_started(const tasks::PictureItem& item, std::size_t number, std::size_t count) override {
    if (!args_.dry_run) meter_.start(display_path(item.source.path), number, count, Clock::now());
  }
  void on_progress(const tasks::PictureItem&, const enhance::Progress& progress) override {
    meter_.update(progress.fraction, progress.pixels * 1e-6, Clock::now());
  }
  void on_item_finished(const tasks::PictureItem& item, const tasks::PictureResult& result) override {
    meter_.finish();
    log_result(item, result);
    if (args_.json)
      output_.print(tasks::picture_json(item, result));
    else if (result.status == tasks::ItemStatus::planned)
      output_.print(plan_text(item, result));
  }

  const std::optional<Error>& output_problem() const { return output_.problem(); }

 private:
  void log_result(const tasks::PictureItem& item, const tasks::PictureResult& result) {
    if (result.status == tasks::ItemStatus::failed)
      log_.error(failure_text(display_path(item.source.path), *result.error));
    if (!result.damage.empty()) log_.error(damage_line(display_path(item.source.path), tasks::damage_text(result)));
    if (const auto& lost = result.write_report.lost; !lost.empty())
      log_.warning(fmt::format("{}: {}", display_path(item.source.path), printable(tasks::lost_text(lost))));
    for (const auto& event : result.events)
      log_.warning(fmt::format("{}: {}", display_path(item.source.path), printable(event)));
    if (result.status != tasks::ItemStatus::done) return;
    const auto& plan = *result.plan;
    log_.info(done_text({.name = display_path(item.source.path),
                         .output = "-",
                         .width = plan.output_width,
                         .height = plan.output_height,
                         .network = network_text(result.upscaler->network()),
                         .seconds = result.total_time.count()}));
  }

  const Arguments& args_;
  observe::Log& log_;
  observe::ProgressMeter meter_;
  ResultOutput output_;
};

std::string check_upscale_usage(const Arguments& args) {
  if (args.operands.empty()) return "no input given; see 'weir help upscale'";
  if (args.output.empty()) return "no output given: -o FILE, -o FOLDER/ or -o -; see 'weir help upscale'";
  if (args.json && args.output == "-") return "--json and -o - both write to standard output";
  if (!args.checkpoints.enabled && !args.checkpoints.folder.empty())
    return "--checkpoints and --no-checkpoints contradict each other";
  return {};
}

tasks::OutputOptions output_options(const Invocation& invocation, Bytes ram, std::stop_token stop) {
  const Arguments& args = invocation.args();
  return {.output = args.output,
          .format = args.format,
          .format_required = invocation.command_line.has_flag("--format"),
          // The memory limit minus the memory that this process already uses, and a margin.
          .standard_input_limit = ram - std::min(ram, peak_resident_memory() + 2_MiB),
          .stop = std::move(stop),
          .checkpoint_folder =
              args.checkpoints.enabled ? std::optional<std::filesystem::path>{args.checkpoints.folder} : std::nullopt};
}

ExitResult make_exit_result(const tasks::WorklistTotals& totals, const WorklistReporter& reporter, Bytes ram) {
  const std::string failed = fmt::format("{} of {} items failed", totals.failed, totals.items);
  if (totals.interrupted)
    return {ExitStatus::interrupted, fmt::format("interrupted; {} of {} items done", totals.done, totals.items)};
  if (totals.internal_errors > 0) return {ExitStatus::internal_error, failed};
  if (totals.refused > 0 && totals.refused == totals.items) return nothing_fits_result(ram);
  if (totals.failed > 0) return {ExitStatus::some_failed, failed};
  if (totals.damaged > 0) return {ExitStatus::some_failed, damaged_text(totals.damaged, totals.items)};
  if (reporter.output_problem()) return {ExitStatus::some_failed, reporter.output_problem()->what};
  return {};
}

/// Returns the pictures that a run would process now. Pictures that were done before are left out, with a message;
/// those that a run would not process, such as pictures whose output is of another program, get the reason as their problem.
std::vector<tasks::PictureItem> find_work(const Arguments& args, const tasks::UpscaleRequest& request,
                                          const tasks::PictureList& list, const tasks::NetworkCache& network_cache,
                                          observe::Log& log) {
  jobs::RecordRules rules = make_run_settings(args).rules;
  rules.read_only = true;
  rules.use_damaged = args.damaged == media::DamagePolicy::use;
  const auto identity_source = tasks::make_identity_source(network_cache, request);
  std::vector<tasks::PictureItem> work;
  std::size_t done_before = 0;
  for (tasks::PictureItem picture : list.items) {
    const jobs::Decision decision =
        jobs::decide_item(tasks::make_upscale_item(picture, request), rules, identity_source);
    if (decision.action == jobs::Action::skip) {
      ++done_before;
      continue;
    }
    if (decision.failure) picture.problem = decision.failure;
    work.push_back(std::move(picture));
  }
  if (done_before > 0) log.info(fmt::format("{} of {} pictures were done before", done_before, list.items.size()));
  return work;
}

/// Does a dry run, or writes a picture to standard output. Neither writes output files. A dry run reads checkpoints.
ExitResult run_without_files(const Invocation& invocation, const tasks::UpscaleRequest& request,
                             const tasks::PictureList& list, tasks::NetworkCache network_cache, std::stop_token stop) {
  const Arguments& args = invocation.args();
  observe::Log log{args.quiet ? observe::Verbosity::quiet : observe::Verbosity::normal};
  report_list(list.skipped, list.renamed, "picture", log);
  warn_software_device(request.upscale, log);
  tasks::PictureSettings settings;
  settings.upscale = request.upscale;
  settings.quality = args.quality;
  settings.damaged = args.damaged;
  settings.overwrite = args.overwrite || args.dry_run;  // find_work() has decided about outputs that exist
  settings.dry_run = args.dry_run;
  settings.upscalers = tasks::make_upscaler_source([&network_cache](double scale) { return network_cache.load(scale); },
                                                   settings.upscale);
  WorklistReporter reporter{args, log};
  const auto items = args.dry_run ? find_work(args, request, list, network_cache, log) : list.items;
  const auto totals = tasks::run_worklist(items, settings, reporter, std::move(stop));
  return make_exit_result(totals, reporter, request.upscale.ram);
}

}  // namespace

ExitResult run_upscale(const Invocation& invocation) {
  const SignalBlocker signal_blocker;
  const Arguments& args = invocation.args();
  if (auto usage_error = check_upscale_usage(args); !usage_error.empty()) return wrong_usage(std::move(usage_error));
  auto devices = named_devices(args);
  if (!devices) return {ExitStatus::nothing_started, devices.error().what};
  std::optional<SignalStopSource> signals{std::in_place, kUpscaleGrace, static_cast<int>(ExitStatus::interrupted),
                                          print_interrupted};
  auto upscale = upscale_settings(args);
  if (!upscale) return wrong_usage(upscale.error().what);
  const auto list = tasks::list_pictures(args.operands, output_options(invocation, upscale->ram, signals->token()));
  if (!list) return wrong_usage(list.error().what);
  const bool is_batch = list->items.size() > 1;
  const bool leaves_no_files = args.dry_run || args.output == "-";
  if (!is_batch || leaves_no_files) {
    if (auto bound = bind_to_first_device(args); !bound) return {ExitStatus::nothing_started, bound.error().what};
    if (auto added = add_gpu(args, *upscale); !added) return make_refusal(added.error());
  }
  const auto request = upscale_request(invocation, *std::move(upscale));
  auto network_cache = open_networks(request);
  if (!network_cache) return make_refusal(network_cache.error());
  if (leaves_no_files) {
    if (args.size.width == 0) {  // checked before any work if the scale does not depend on the picture
      if (auto network = network_cache->load(args.size.scale); !network) return make_refusal(network.error());
    }
    return run_without_files(invocation, request, *list, *std::move(network_cache), signals->token());
  }
  const UpscaleBatch batch{invocation, request, *list, *network_cache};
  if (!is_batch) return run_single(batch, *std::move(devices), signals->token());
  if (auto resolved = resolve_devices(args, *devices); !resolved) return make_refusal(resolved.error());
  signals.reset();  // the coordinator handles signals itself
  return run_batch(batch, *std::move(devices));
}

}  // namespace weir::cli
