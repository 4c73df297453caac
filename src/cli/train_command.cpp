// `weir train`: trains a network.

#include <fmt/format.h>

#include "base/atomic_file.hpp"
#include "base/signals.hpp"
#include "base/system_cpus.hpp"
#include "base/text.hpp"
#include "cli/command.hpp"
#include "cli/defaults.hpp"
#include "observe/log.hpp"
#include "observe/progress.hpp"
#include "training/train.hpp"

namespace weir::cli {
namespace {

// Grace period after a signal: enough for one step and the evaluation of the held-out pictures.
constexpr std::chrono::seconds kStepGrace{30};

std::string check_train_usage(const Arguments& args) {
  if (args.train.recipe.empty() || args.train.folder.empty())
    return "--recipe and --out are needed; see 'weir help train'";
  if (args.train.hours && args.train.steps) return "--hours and --steps are both given";
  if (args.train.resume && (args.train.hours || args.train.steps))
    return "--resume goes on to the end that was chosen when the training began: leave --hours and --steps away";
  if (args.devices.size() > 1) return "--device: training runs on one device";
  return {};
}

void log_progress(const training::TrainProgress& progress, observe::Log& log) {
  std::string line = fmt::format("step {} of {}, loss {:.5f}", progress.step, progress.steps, progress.loss);
  if (progress.gain)
    line += fmt::format(", over bicubic {:+.2f} dB leaves {:+.2f} dB comics", progress.gain->leaves_db,
                        progress.gain->comics_db);
  line += fmt::format(", {} left", observe::format_clock(observe::Seconds{progress.seconds_left}));
  if (log.shows_status())
    log.set_status(line);
  else
    log.info(line);
}

/// Finds the GPU and stores it in `settings`, or binds this process to the processors that `device` names.
Status set_up_device(const runs::NamedDevice& device, training::TrainSettings& settings) {
  if (device.is_gpu()) {
    auto gpu = nn::vulkan::find_gpu(device.name);
    if (!gpu) return Error{gpu.error().code, "--device: " + gpu.error().what};
    settings.gpu = *std::move(gpu);
  } else if (!device.cpus.empty()) {
    if (auto bound = bind_to_cpus(device.cpus); !bound)
      return Error{Errc::unsupported, "--device: " + bound.error().what};
  }
  return ok();
}

void log_device(const training::TrainSettings& settings, observe::Log& log) {
  if (settings.gpu == nullptr) return;
  const auto& info = settings.gpu->info;
  if (settings.gpu->software_by_default)
    log.warning(fmt::format("no GPU here: {} is a software device, slower than --device cpu", info.name));
  else
    log.info(fmt::format("on {} ({})", info.name, info.driver));
}

ExitStatus exit_status(Errc code) {
  return code == Errc::invalid_argument || code == Errc::exists ? ExitStatus::wrong_usage : ExitStatus::some_failed;
}

}  // namespace

ExitResult run_train(const Invocation& invocation) {
  const Arguments& args = invocation.args();
  if (auto usage_error = check_train_usage(args); !usage_error.empty())
    return {ExitStatus::wrong_usage, std::move(usage_error)};
  const auto text = read_file(args.train.recipe);
  if (!text) return {ExitStatus::wrong_usage, text.error().what};
  const auto recipe = training::parse_recipe(*text, printable(args.train.recipe));
  if (!recipe) return {ExitStatus::wrong_usage, recipe.error().what};
  training::TrainSettings settings{
      .folder = args.train.folder, .resume = args.train.resume, .hours = args.train.hours, .steps = args.train.steps};
  if (auto set = set_up_device(args.devices.front(), settings); !set) {
    const bool usage_error = set.error().code == Errc::invalid_argument;
    return {usage_error ? ExitStatus::wrong_usage : ExitStatus::nothing_started, set.error().what};
  }
  settings.threads = effective_threads(args);
  const SignalStopSource signals{kStepGrace, static_cast<int>(ExitStatus::interrupted), [] {}};
  observe::Log log{args.quiet ? observe::Verbosity::quiet : observe::Verbosity::normal};
  log_device(settings, log);
  const auto train_result =
      training::train(*text, *recipe, settings, signals.token(),
                      [&](const training::TrainProgress& progress) { log_progress(progress, log); });
  log.set_status("");
  if (!train_result) return {exit_status(train_result.error().code), train_result.error().what};
  if (!*train_result) return {ExitStatus::interrupted, "interrupted; --resume goes on"};
  return {};
}

}  // namespace weir::cli
