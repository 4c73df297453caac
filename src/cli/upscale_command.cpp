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
#include "cli/command.hpp"
#include "cli/defaults.hpp"
#include "cli/list_report.hpp"
#include "cli/model_folders.hpp"
#include "cli/report.hpp"
#include "cli/upscale_batch.hpp"
#include "nn/vulkan/gpu.hpp"
#include "observe/log.hpp"
#include "observe/progress.hpp"
#include "tasks/gpu_worker.hpp"
#include "tasks/network_shelf.hpp"
#include "tasks/picture_list.hpp"
#include "tasks/picture_report.hpp"
#include "tasks/upscale_kind.hpp"
#include "tasks/worklist.hpp"

namespace weir::cli {
namespace {

using Clock = std::chrono::steady_clock;

/// A run that was asked to stop is over within two seconds, whatever it was busy with.
constexpr std::chrono::milliseconds kUpscaleGrace{1600};

void say_interrupted() {
  constexpr std::string_view kText = "error: interrupted\n";
  write_standard_error(kText);
}

/// Of dry runs and of pictures that go to standard output.
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
      output_.print(tasks::picture_json(item, outcome));
    else if (outcome.status == tasks::ItemStatus::planned)
      output_.print(plan_text(item, outcome));
  }

  const std::optional<Error>& output_problem() const { return output_.problem(); }

 private:
  void tell(const tasks::PictureItem& item, const tasks::PictureOutcome& outcome) {
    if (outcome.status == tasks::ItemStatus::failed) log_.error(failure_text(shown(item.source.path), *outcome.error));
    if (!outcome.damage.empty()) log_.error(damage_line(shown(item.source.path), tasks::damage_text(outcome)));
    if (const auto& lost = outcome.file.lost; !lost.empty())
      log_.warning(fmt::format("{}: {}", shown(item.source.path), printable(tasks::lost_text(lost))));
    for (const auto& event : outcome.events)
      log_.warning(fmt::format("{}: {}", shown(item.source.path), printable(event)));
    if (outcome.status != tasks::ItemStatus::done) return;
    const auto& plan = *outcome.plan;
    log_.info(done_text({shown(item.source.path), "-", plan.output_width, plan.output_height,
                         network_text(outcome.upscaler->network()), outcome.time.count()}));
  }

  const Arguments& args_;
  observe::Log& log_;
  observe::ProgressMeter meter_;
  ResultOutput output_;
};

Ending refused(const Error& error) {
  return {error.code == Errc::invalid_argument ? Exit::wrong_usage : Exit::nothing_started, error.what};
}

/// Binds this process, which will do the work itself, to the first device.
Status bind_to_first_device(const Arguments& args) {
  const auto& cores = args.devices.front().cores;
  if (cores.empty()) return ok();
  if (auto bound = bind_to_cpus(cores); !bound) return Error{bound.error().code, "--device: " + bound.error().what};
  return ok();
}

/// The GPU that is asked for, before any work.
Status add_gpu(const Arguments& args, enhance::UpscaleSettings& upscale) {
  const runs::NamedDevice& device = args.devices.front();
  if (!device.is_gpu()) return ok();
  auto gpu = nn::vulkan::find_gpu(device.name);
  if (!gpu) return Error{gpu.error().code, "--device: " + gpu.error().what};
  upscale.gpu = *std::move(gpu);
  return ok();
}

std::string check_usage(const Arguments& args) {
  if (args.operands.empty()) return "no input given; see 'weir help upscale'";
  if (args.output.empty()) return "no output given: -o FILE, -o FOLDER/ or -o -; see 'weir help upscale'";
  if (args.json && args.output == "-") return "--json and -o - both write to standard output";
  if (!args.checkpoints.keep && !args.checkpoints.folder.empty())
    return "--checkpoints and --no-checkpoints contradict each other";
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

Result<enhance::UpscaleSettings> upscale_settings(const Arguments& args) {
  enhance::UpscaleSettings upscale;
  upscale.scale = args.size.scale;
  upscale.width = args.size.width;
  upscale.height = args.size.height;
  upscale.ram = effective_ram(args);
  upscale.threads = effective_threads(args);
  upscale.precision = args.precision;
  upscale.tta = args.tta;
  upscale.device.memory = args.vram.value_or(Bytes{});
  upscale.device.tile = args.tile;
  upscale.device.max_commands = args.max_commands.value_or(upscale.device.max_commands);
  upscale.device.max_idle = args.max_idle.value_or(upscale.device.max_idle);
  upscale.device.strict = args.strict_device || args.batch.no_cpu;
  return add_spill(args, std::move(upscale));
}

/// What the masks of GPUs cannot do.
void tell_notes(const std::vector<std::string>& notes, const Arguments& args) {
  observe::Log log{args.quiet ? observe::Verbosity::quiet : observe::Verbosity::normal};
  for (const std::string& note : notes) log.info(note);
}

tasks::OutputRule output_rule(const Invocation& invocation, Bytes ram, std::stop_token stop) {
  const Arguments& args = invocation.args();
  return {
      .output = args.output,
      .format = args.format,
      .format_demanded = invocation.line.has("--format"),
      .standard_input_limit = ram - std::min(ram, peak_resident() + 2_MiB),  // beside what the process holds by then
      .stop = std::move(stop),
      .checkpoints =
          args.checkpoints.keep ? std::optional<std::filesystem::path>{args.checkpoints.folder} : std::nullopt};
}

Ending ending_of(const tasks::WorklistTotals& totals, const Reporter& reporter, Bytes ram) {
  const std::string failed = fmt::format("{} of {} items failed", totals.failed, totals.items);
  if (totals.interrupted)
    return {Exit::interrupted, fmt::format("interrupted; {} of {} items done", totals.done, totals.items)};
  if (totals.faults > 0) return {Exit::fault, failed};
  if (totals.refused > 0 && totals.refused == totals.items) return nothing_fits(ram);
  if (totals.failed > 0) return {Exit::some_failed, failed};
  if (totals.damaged > 0) return {Exit::some_failed, damaged_text(totals.damaged, totals.items)};
  if (reporter.output_problem()) return {Exit::some_failed, reporter.output_problem()->what};
  return {};
}

/// Plans, and pictures for standard output, which leave nothing behind to be resumed.
Ending run_passing(const Invocation& invocation, const tasks::UpscaleRequest& request, const tasks::PictureList& list,
                   tasks::NetworkShelf shelf, std::stop_token stop) {
  const Arguments& args = invocation.args();
  observe::Log log{args.quiet ? observe::Verbosity::quiet : observe::Verbosity::normal};
  tell_list(list, log);
  tell_software(request.upscale, log);
  tasks::PictureSettings settings;
  settings.upscale = request.upscale;
  settings.quality = args.quality;
  settings.damaged = args.damaged;
  settings.overwrite = args.overwrite;
  settings.dry_run = args.dry_run;
  settings.upscalers =
      tasks::make_upscaler_source([&shelf](double scale) { return shelf.get(scale); }, settings.upscale);
  Reporter reporter{args, log};
  const auto totals = tasks::run_worklist(list.items, settings, reporter, std::move(stop));
  return ending_of(totals, reporter, request.upscale.ram);
}

tasks::UpscaleRequest upscale_request(const Invocation& invocation, enhance::UpscaleSettings upscale) {
  const Arguments& args = invocation.args();
  tasks::UpscaleRequest request;
  request.network = {args.model, args.name, args.noise, search_folders(args, invocation.environment)};
  request.variants = args.batch.variants;
  request.upscale = std::move(upscale);
  request.quality = args.quality;
  request.damaged = args.damaged;
  return request;
}

}  // namespace

Ending run_upscale(const Invocation& invocation) {
  const SignalHold hold;
  const Arguments& args = invocation.args();
  if (auto wrong = check_usage(args); !wrong.empty()) return wrong_usage(std::move(wrong));
  if (args.batch.no_cpu &&
      std::any_of(args.devices.begin(), args.devices.end(), [](const auto& each) { return !each.is_gpu(); }))
    return {Exit::nothing_started, "--no-cpu: the CPU is among the devices; name a GPU with --device"};
  auto devices = runs::worker_devices(args.devices, args.threads, args.vram.value_or(Bytes{}));
  if (!devices) return {Exit::nothing_started, "--device: " + devices.error().what};
  std::optional<SignalWatch> signals{std::in_place, kUpscaleGrace, static_cast<int>(Exit::interrupted),
                                     say_interrupted};
  auto upscale = upscale_settings(args);
  if (!upscale) return wrong_usage(upscale.error().what);
  const auto list = tasks::list_pictures(args.operands, output_rule(invocation, upscale->ram, signals->token()));
  if (!list) return wrong_usage(list.error().what);
  const bool several = list->items.size() > 1;
  const bool passing = args.dry_run || args.output == "-";
  if (!several || passing) {
    if (auto bound = bind_to_first_device(args); !bound) return {Exit::nothing_started, bound.error().what};
    if (auto found = add_gpu(args, *upscale); !found) return refused(found.error());
  }
  const auto request = upscale_request(invocation, *std::move(upscale));
  auto shelf = tasks::NetworkShelf::open(request.network);
  if (!shelf) return refused(shelf.error());
  if (passing) {
    if (args.size.width == 0) {  // before any work where the scale does not depend on the picture
      if (auto network = shelf->get(args.size.scale); !network) return refused(network.error());
    }
    return run_passing(invocation, request, *list, *std::move(shelf), signals->token());
  }
  const UpscaleBatch batch{invocation, request, *list, *shelf};
  if (!several) return run_single(batch, *std::move(devices), signals->token());
  std::vector<std::string> notes;
  if (auto reached = tasks::reach_gpus(*devices, notes); !reached)
    return refused({reached.error().code, "--device: " + reached.error().what});
  tell_notes(notes, args);
  signals.reset();  // the coordinator has its own way with them
  return run_batch(batch, *std::move(devices));
}

}  // namespace weir::cli
