#include "parts/film/film_command.hpp"

#include <algorithm>
#include <filesystem>
#include <utility>

#include <fmt/format.h>

#include "base/system_cpus.hpp"
#include "base/text.hpp"
#include "cli/batch_setup.hpp"
#include "cli/list_report.hpp"
#include "cli/upscale_batch.hpp"
#include "cli/upscale_setup.hpp"
#include "jobs/run_folder.hpp"
#include "media/film/audio_codec.hpp"
#include "media/film/encoder_check.hpp"
#include "parts/film/film_dry_run.hpp"
#include "parts/film/film_pipe.hpp"
#include "parts/film/film_preview_command.hpp"
#include "parts/film/film_reporter.hpp"
#include "runs/film/film_run.hpp"

namespace weir::parts {
namespace {

using cli::Arguments;
using cli::ExitResult;
using cli::ExitStatus;
using cli::wrong_usage;

std::string check_usage(const Arguments& args) {
  if (args.operands.empty()) return "no film given; see 'weir help film'";
  if (args.output.empty()) return "no output given: -o FILE, -o FOLDER/ or -o -; see 'weir help film'";
  if (args.json && args.output == "-") return "--json and -o - both write to standard output";
  if (args.film.from_s && args.film.to_s && *args.film.from_s >= *args.film.to_s) return "--from is not before --to";
  return {};
}

/// Returns the encoder's threads for new films: all processors beside GPUs; one for each worker on the processors,
/// which the network already uses.
int suggested_encoder_threads(const std::vector<jobs::WorkerDevice>& devices) {
  constexpr int kMost = 8;  // of the encoders; more gain little and take memory
  const bool has_gpu =
      std::any_of(devices.begin(), devices.end(), [](const auto& each) { return !each.lease_key.empty(); });
  if (!has_gpu) return 1;
  return std::clamp(usable_threads(allowed_cpus().size(), cpu_quota()) / static_cast<int>(devices.size()), 1, kMost);
}

/// Reads the encoder's flags. Errors: invalid_argument; those of film::check_encoder().
Status add_encoder(const Arguments& args, film::FilmRequest& request) {
  request.encode.codec = *film::video_codec_named(args.film.codec);
  request.encode.crf = args.film.crf;
  request.encode.preset = args.film.preset;
  for (const auto& [name, value] : args.film.encoder_options) {
    if (name != "threads") {
      request.encode.options.emplace_back(name, value);
      continue;
    }
    const auto threads = parse_integer(value, 1, 64);
    if (!threads) return Error{Errc::invalid_argument, "--encoder-option threads: " + threads.error().what};
    request.encoder_threads = *threads;
  }
  return film::check_encoder(request.encode);
}

jobs::RunSettings run_settings(const cli::Invocation& invocation, const film::FilmList& list,
                               std::vector<jobs::WorkerDevice> devices) {
  jobs::RunSettings settings = cli::make_upscale_run_settings(invocation, std::move(devices));
  std::error_code ignored;
  const bool is_folder = list.items.size() > 1 || invocation.args().output.ends_with('/') ||
                         std::filesystem::is_directory(invocation.args().output, ignored);
  // The state of a run with one output file is beside the segments, so that several runs may write into one folder.
  if (!is_folder) settings.outputs = jobs::work_folder_of(list.items.front().output);
  return settings;
}

ExitResult run(const cli::Invocation& invocation, const runs::FilmRunRequest& request) {
  const Arguments& args = invocation.args();
  runs::RunLogs logs;
  if (auto opened = cli::open_logs(args, invocation.environment, logs); !opened)
    return cli::make_log_failure(opened.error());
  observe::Log log = cli::make_log(args);
  cli::report_list(request.list.skipped, request.list.renamed, "film", log);
  FilmReporter reporter{args, log};
  const auto totals = runs::run_films(request, reporter, logs);
  if (!totals) return {ExitStatus::nothing_started, totals.error().what};
  reporter.summary(*totals);
  if (reporter.lacked_memory()) {
    const std::string enough =
        enough_memory_text(request.request, request.list, request.network_cache, request.settings.devices.size());
    if (!enough.empty()) log.error(enough);
  }
  return cli::add_log_failures(cli::make_exit_result(*totals, reporter.output_problem(),
                                                     cli::nothing_fits_result(request.request.upscale.upscale.ram)),
                               logs, log);
}

}  // namespace

ExitResult run_film(const cli::Invocation& invocation) {
  const Arguments& args = invocation.args();
  if (auto usage_error = check_usage(args); !usage_error.empty()) return wrong_usage(std::move(usage_error));
  auto devices = cli::named_devices(args);
  if (!devices) return {ExitStatus::nothing_started, devices.error().what};
  auto upscale = cli::upscale_settings(args);
  if (!upscale) return wrong_usage(upscale.error().what);
  film::FilmRequest request;
  request.upscale = cli::upscale_request(invocation, *std::move(upscale));
  request.suggested_encoder_threads = suggested_encoder_threads(*devices);
  request.deinterlace = *film::deinterlace_named(args.film.deinterlace);
  if (auto added = add_encoder(args, request); !added) return cli::make_refusal(added.error());
  if (auto checked = film::check_audio_name(args.film.audio); !checked) return cli::make_refusal(checked.error());
  request.audio = args.film.audio;
  request.from = args.film.from_s;
  request.to = args.film.to_s;
  request.limit = args.film.limit;
  if (args.film.preview_s) return run_film_preview(invocation, std::move(request));
  if (uses_pipe(args)) return run_film_over_pipe(invocation, std::move(request));
  auto network_cache = cli::open_networks(request.upscale);
  if (!network_cache) return cli::make_refusal(network_cache.error());
  const film::FilmListOptions options{
      .place = {args.output, std::filesystem::path{}},
      .container = args.film.container.empty() ? std::nullopt : film::container_named(args.film.container)};
  if (args.film.container == "y4m") return wrong_usage("--format y4m is for standard output: -o -");
  const auto list = film::list_films(args.operands, options, request, *network_cache);
  if (!list) return wrong_usage(list.error().what);
  if (args.dry_run) {
    if (auto added = cli::add_gpu(args, request.upscale.upscale); !added) return cli::make_refusal(added.error());
    return plan_films(args, request, *list, *std::move(network_cache), devices->size());
  }
  if (auto resolved = cli::resolve_devices(args, *devices); !resolved) return cli::make_refusal(resolved.error());
  return run(invocation, {.request = request,
                          .list = *list,
                          .network_cache = *network_cache,
                          .settings = run_settings(invocation, *list, *std::move(devices))});
}

}  // namespace weir::parts
