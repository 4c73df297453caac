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

constexpr std::chrono::seconds kStepGrace{30};  // a step and a look at the held-out pictures

std::string wrong_words(const Arguments& args) {
  if (args.train.recipe.empty() || args.train.folder.empty())
    return "--recipe and --out are needed; see 'weir help train'";
  if (args.train.hours && args.train.steps) return "--hours and --steps are both given";
  if (args.train.resume && (args.train.hours || args.train.steps))
    return "--resume goes on to the end that was chosen when the training began: leave --hours and --steps away";
  if (args.devices.size() > 1) return "--device: training runs on one device";
  return {};
}

void tell(const training::TrainProgress& progress, observe::Log& log) {
  std::string line = fmt::format("step {} of {}, loss {:.5f}", progress.step, progress.steps, progress.loss);
  if (progress.gain)
    line +=
        fmt::format(", over bicubic {:+.2f} dB leaves {:+.2f} dB comics", progress.gain->leaves, progress.gain->comics);
  line += fmt::format(", {} left", observe::clock_text(observe::Seconds{progress.seconds_left}));
  if (log.has_status())
    log.status(line);
  else
    log.info(line);
}

/// The device of `settings`: a GPU, or the processors that this process is bound to.
Status set_up_device(const runs::NamedDevice& device, training::TrainSettings& settings) {
  if (device.is_gpu()) {
    auto gpu = nn::vulkan::find_gpu(device.name);
    if (!gpu) return Error{gpu.error().code, "--device: " + gpu.error().what};
    settings.gpu = *std::move(gpu);
  } else if (!device.cores.empty()) {
    if (auto bound = bind_to_cpus(device.cores); !bound)
      return Error{Errc::unsupported, "--device: " + bound.error().what};
  }
  return ok();
}

void tell_device(const training::TrainSettings& settings, observe::Log& log) {
  if (settings.gpu == nullptr) return;
  const auto& info = settings.gpu->info;
  if (settings.gpu->software_by_default)
    log.warning(fmt::format("no GPU here: {} is a software device, slower than --device cpu", info.name));
  else
    log.info(fmt::format("on {} ({})", info.name, info.driver));
}

Exit exit_of(Errc code) {
  return code == Errc::invalid_argument || code == Errc::exists ? Exit::wrong_usage : Exit::some_failed;
}

}  // namespace

Ending run_train(const Invocation& invocation) {
  const Arguments& args = invocation.args();
  if (auto wrong = wrong_words(args); !wrong.empty()) return {Exit::wrong_usage, std::move(wrong)};
  const auto text = read_file(args.train.recipe);
  if (!text) return {Exit::wrong_usage, text.error().what};
  const auto recipe = training::parse_recipe(*text, printable(args.train.recipe));
  if (!recipe) return {Exit::wrong_usage, recipe.error().what};
  training::TrainSettings settings{
      .folder = args.train.folder, .resume = args.train.resume, .hours = args.train.hours, .steps = args.train.steps};
  if (auto set = set_up_device(args.devices.front(), settings); !set) {
    const bool wrong = set.error().code == Errc::invalid_argument;
    return {wrong ? Exit::wrong_usage : Exit::nothing_started, set.error().what};
  }
  settings.threads = effective_threads(args);
  const SignalWatch signals{kStepGrace, static_cast<int>(Exit::interrupted), [] {}};
  observe::Log log{args.quiet ? observe::Verbosity::quiet : observe::Verbosity::normal};
  tell_device(settings, log);
  const auto ended = training::train(*text, *recipe, settings, signals.token(),
                                     [&](const training::TrainProgress& progress) { tell(progress, log); });
  log.status("");
  if (!ended) return {exit_of(ended.error().code), ended.error().what};
  if (!*ended) return {Exit::interrupted, "interrupted; --resume goes on"};
  return {};
}

}  // namespace weir::cli
