#include <algorithm>
#include <chrono>
#include <filesystem>
#include <system_error>

#include <fmt/format.h>
#include <unistd.h>

#include "base/signals.hpp"
#include "base/standard_streams.hpp"
#include "base/system_cpus.hpp"
#include "base/text.hpp"
#include "cli/command.hpp"
#include "cli/defaults.hpp"
#include "cli/model_folders.hpp"
#include "cli/report.hpp"
#include "nn/vulkan/gpu.hpp"
#include "observe/log.hpp"
#include "observe/progress.hpp"
#include "tasks/network_shelf.hpp"
#include "tasks/picture_list.hpp"
#include "tasks/worklist.hpp"

namespace weir::cli {
namespace {

using Clock = std::chrono::steady_clock;

/// A run that was asked to stop is over within two seconds, whatever it was busy with.
constexpr std::chrono::milliseconds kGrace{1600};

void say_interrupted() {
  constexpr std::string_view kText = "error: interrupted\n";
  (void)!write(STDERR_FILENO, kText.data(), kText.size());
}

/// Tells people on standard error and machines on standard output what happens to each picture.
class Reporter final : public tasks::WorklistObserver {
 public:
  Reporter(const Arguments& args, observe::Log& log) : args_{args}, log_{log}, meter_{log} {}

  void started(const tasks::PictureItem& item, std::size_t number, std::size_t count) override {
    if (!args_.dry_run) meter_.start(shown(item.source.path), number, count, Clock::now());
  }
  void progress(const tasks::PictureItem&, const enhance::Progress& progress) override {
    meter_.update(progress.fraction, progress.pixels * 1e-6, Clock::now());
  }
  void finished(const tasks::PictureItem& item, const tasks::PictureOutcome& outcome) override {
    meter_.finish();
    tell(item, outcome);
    if (args_.json)
      print_result(picture_json(item, outcome));
    else if (outcome.status == tasks::ItemStatus::planned)
      print_result(plan_text(item, outcome));
  }

  const std::optional<Error>& output_problem() const { return output_problem_; }

 private:
  void tell(const tasks::PictureItem& item, const tasks::PictureOutcome& outcome) {
    if (outcome.status == tasks::ItemStatus::failed) log_.error(failure_text(item, *outcome.error));
    for (const auto& lost : outcome.file.lost)
      log_.warning(fmt::format("{}: lost {}", shown(item.source.path), printable(lost)));
    for (const auto& event : outcome.events)
      log_.warning(fmt::format("{}: {}", shown(item.source.path), printable(event)));
    if (outcome.status != tasks::ItemStatus::done) return;
    const double megapixels = 1e-6 * outcome.plan->output_width * outcome.plan->output_height;
    log_.info(fmt::format("{} -> {}: {}x{}, {}, {:.2f} MP/s", shown(item.source.path), shown(item.output),
                          outcome.plan->output_width, outcome.plan->output_height,
                          observe::format_duration(outcome.time), megapixels / std::max(outcome.time.count(), 1e-9)));
  }

  /// A standard output that is gone is told once, at the end; the pictures are still done.
  void print_result(const std::string& text) {
    if (output_problem_) return;
    if (auto written = write_standard_output(text); !written) output_problem_ = written.error();
  }

  const Arguments& args_;
  observe::Log& log_;
  observe::ProgressMeter meter_;
  std::optional<Error> output_problem_;
};

Ending wrong_usage(std::string what) { return {Exit::wrong_usage, std::move(what)}; }

Ending refused(const Error& error) {
  return {error.code == Errc::invalid_argument ? Exit::wrong_usage : Exit::nothing_started, error.what};
}

std::string check_usage(const Arguments& args) {
  if (args.operands.empty()) return "no input given; see 'weir help upscale'";
  if (args.output.empty()) return "no output given: -o FILE, -o FOLDER/ or -o -; see 'weir help upscale'";
  if (args.json && args.output == "-") return "--json and -o - both write to standard output";
  return {};
}

/// Room for spilled data where --spill names none: what is free in its folder.
Result<enhance::UpscaleSettings> add_spill(const Arguments& args, enhance::UpscaleSettings settings) {
  if (args.spill.folder.empty()) return settings;
  std::error_code problem;
  const auto space = std::filesystem::space(args.spill.folder, problem);
  if (problem || !std::filesystem::is_directory(args.spill.folder, problem))
    return Error{Errc::invalid_argument, fmt::format("--spill: {} is not a folder", printable(args.spill.folder))};
  settings.spill_folder = args.spill.folder;
  settings.spill_limit = args.spill.limit.value_or(Bytes{space.available});
  return settings;
}

Result<tasks::PictureSettings> picture_settings(const Invocation& invocation) {
  const Arguments& args = invocation.args();
  enhance::UpscaleSettings upscale;
  upscale.scale = args.size.scale;
  upscale.width = args.size.width;
  upscale.height = args.size.height;
  upscale.ram = effective_ram(args);
  upscale.threads = effective_threads(args);
  upscale.precision = args.precision;
  upscale.sync = args.sync;
  upscale.tta = args.tta;
  auto with_spill = add_spill(args, std::move(upscale));
  if (!with_spill) return with_spill.error();
  tasks::PictureSettings settings;
  settings.upscale = *std::move(with_spill);
  settings.quality = args.quality;
  settings.overwrite = args.overwrite;
  settings.dry_run = args.dry_run;
  return settings;
}

/// The GPU that is asked for, before any work.
Status add_gpu(const Arguments& args, tasks::PictureSettings& settings) {
  settings.upscale.device.memory = args.vram.value_or(Bytes{});
  settings.upscale.device.tile = args.tile;
  settings.upscale.device.strict = args.strict_device;
  if (args.gpu.empty()) return ok();
  auto gpu = nn::vulkan::find_gpu(args.gpu);
  if (!gpu) return Error{gpu.error().code, "--device: " + gpu.error().what};
  settings.upscale.gpu = *std::move(gpu);
  return ok();
}

/// Finds the network before any work where its scale does not depend on the picture.
Status add_networks(const Invocation& invocation, tasks::PictureSettings& settings) {
  const Arguments& args = invocation.args();
  auto opened =
      tasks::NetworkShelf::open({args.model, args.name, args.noise, search_folders(args, invocation.environment)});
  if (!opened) return opened.error();
  const auto shelf = std::make_shared<tasks::NetworkShelf>(*std::move(opened));
  if (args.size.width == 0) {
    if (auto network = shelf->get(args.size.scale); !network) return network.error();
  }
  settings.upscalers =
      tasks::make_upscaler_source([shelf](double scale) { return shelf->get(scale); }, settings.upscale);
  return ok();
}

tasks::OutputRule output_rule(const Invocation& invocation, Bytes ram, std::stop_token stop) {
  const Arguments& args = invocation.args();
  return {.output = args.output,
          .format = args.format,
          .format_demanded = invocation.line.has("--format"),
          .standard_input_limit = ram,
          .stop = std::move(stop)};
}

void tell_summary(const tasks::WorklistTotals& totals, std::size_t skipped, observe::Seconds time, observe::Log& log) {
  if (skipped > 0)
    log.info(fmt::format("{} file{} in folders skipped: hidden, or no picture by the extension", skipped,
                         skipped == 1 ? "" : "s"));
  if (totals.items < 2) return;
  log.info(fmt::format("{} of {} pictures done, {:.1f} MP in {}", totals.done, totals.items, totals.megapixels,
                       observe::format_duration(time)));
}

Ending ending_of(const tasks::WorklistTotals& totals, const Reporter& reporter, Bytes ram) {
  const std::string failed = fmt::format("{} of {} items failed", totals.failed, totals.items);
  if (totals.interrupted)
    return {Exit::interrupted, fmt::format("interrupted; {} of {} items done", totals.done, totals.items)};
  if (totals.faults > 0) return {Exit::fault, failed};
  if (totals.refused > 0 && totals.refused == totals.items)
    return {Exit::nothing_started,
            fmt::format("nothing could start: every item needs more memory than the line of {}", to_text(ram))};
  if (totals.failed > 0) return {Exit::some_failed, failed};
  if (reporter.output_problem()) return {Exit::some_failed, reporter.output_problem()->what};
  return {};
}

}  // namespace

Ending run_upscale(const Invocation& invocation) {
  const Arguments& args = invocation.args();
  if (auto wrong = check_usage(args); !wrong.empty()) return wrong_usage(std::move(wrong));
  const SignalWatch signals{kGrace, static_cast<int>(Exit::interrupted), say_interrupted};
  if (!args.cores.empty()) {
    if (auto bound = bind_to_cpus(args.cores); !bound)
      return {Exit::nothing_started, "--device: " + bound.error().what};
  }
  auto settings = picture_settings(invocation);
  if (!settings) return wrong_usage(settings.error().what);
  if (auto found = add_gpu(args, *settings); !found) return refused(found.error());
  const auto list =
      tasks::list_pictures(args.operands, output_rule(invocation, settings->upscale.ram, signals.token()));
  if (!list) return wrong_usage(list.error().what);
  if (auto found = add_networks(invocation, *settings); !found) return refused(found.error());

  observe::Log log{args.quiet ? observe::Verbosity::quiet : observe::Verbosity::normal};
  if (settings->upscale.gpu != nullptr && settings->upscale.gpu->software_by_default)
    log.warning(fmt::format("no GPU here: {} is a software device, slower than --device cpu",
                            settings->upscale.gpu->info.name));
  Reporter reporter{args, log};
  const auto start = Clock::now();
  const auto totals = tasks::run_worklist(list->items, *settings, reporter, signals.token());
  tell_summary(totals, list->skipped, Clock::now() - start, log);
  return ending_of(totals, reporter, settings->upscale.ram);
}

}  // namespace weir::cli
