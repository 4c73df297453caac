#include "parts/film/film_preview_command.hpp"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <iterator>
#include <system_error>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "base/signals.hpp"
#include "base/standard_streams.hpp"
#include "base/text.hpp"
#include "cli/batch_setup.hpp"
#include "cli/report.hpp"
#include "cli/upscale_setup.hpp"
#include "parts/film/film_pipe.hpp"
#include "tasks/film/film_preview.hpp"

namespace weir::parts {
namespace {

using cli::Arguments;
using cli::ExitResult;
using cli::ExitStatus;
using cli::wrong_usage;

/// Returns why the flags do not go with --preview; empty: they do.
std::string check_preview_usage(const Arguments& args) {
  const auto is_folder = [](const std::string& path) {
    std::error_code ignored;
    return path.ends_with('/') || std::filesystem::is_directory(path, ignored);
  };
  if (uses_pipe(args)) return "--preview: not with a pipe; give files";
  if (args.operands.size() != 1 || is_folder(args.operands.front())) return "--preview: give one film";
  if (is_folder(args.output)) return "--preview: the output is a file, as in -o preview.mkv";
  if (args.dry_run) return "--preview: not with --dry-run";
  if (args.film.from_s || args.film.to_s || args.film.limit)
    return "--preview TIME says what is shown: not with --from, --to or --limit";
  if (args.film.deinterlace == "on") return "--preview: not with --deinterlace on";
  return {};
}

/// Reports what the preview shows. Errors: io.
Status report_preview(const film::PreviewReport& done, const Arguments& args, observe::Log& log) {
  for (const std::string& note : done.notes) log.warning(printable(note));
  log.info(fmt::format("{} -> {}: {} frames from {} s on, {}x{}, without sound", printable(args.operands.front()),
                       printable(args.output), done.frames, *args.film.preview_s, done.width, done.height));
  log.info(fmt::format("panels from {}: {}{}", done.is_stacked ? "top to bottom" : "left to right",
                       printable(fmt::format("{}", fmt::join(done.panels, ", "))),
                       done.has_labels ? "" : " (no labels in the picture: FFmpeg found no font)"));
  if (!args.json) return ok();
  const nlohmann::ordered_json line{
      {"status", "done"},    {"input", args.operands.front()}, {"output", args.output}, {"frames", done.frames},
      {"width", done.width}, {"height", done.height},          {"panels", done.panels}};
  return write_standard_output(line.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + '\n');
}

}  // namespace

ExitResult run_film_preview(const cli::Invocation& invocation, film::FilmRequest request) {
  const Arguments& args = invocation.args();
  if (auto usage_error = check_preview_usage(args); !usage_error.empty()) return wrong_usage(std::move(usage_error));
  const auto container = film::container_of(args.output);
  if (!container || *container == film::Container::y4m)
    return wrong_usage(
        fmt::format("the extension of the output {} is not that of a container", printable(args.output)));
  if (!args.film.container.empty() && film::container_named(args.film.container) != container)
    return wrong_usage(
        fmt::format("--format {} contradicts the output's name {}", args.film.container, printable(args.output)));
  const SignalBlocker signal_blocker;
  const SignalStopSource signals{cli::kUpscaleGrace, static_cast<int>(ExitStatus::interrupted), cli::print_interrupted};
  if (auto bound = cli::bind_to_first_device(args); !bound) return {ExitStatus::nothing_started, bound.error().what};
  if (auto added = cli::add_gpu(args, request.upscale.upscale); !added) return cli::make_refusal(added.error());
  request.encode.threads = request.encoder_threads.value_or(request.suggested_encoder_threads);
  observe::Log log = cli::make_log(args);
  const auto done = film::make_preview(
      {.film = args.operands.front(),
       .output = args.output,
       .overwrite = args.overwrite,
       .container = *container,
       .from = *args.film.preview_s,
       .settings = std::move(request),
       .progress =
           [&](const std::string& line) {
             log.set_status(printable(line).substr(0, static_cast<std::size_t>(std::max(log.columns() - 1, 0))));
           },
       .stop = signals.token()});
  log.set_status({});
  if (done) {
    if (auto reported = report_preview(*done, args, log); !reported)
      return {ExitStatus::some_failed, reported.error().what};
    return {};
  }
  if (done.error().code == Errc::cancelled) return {ExitStatus::interrupted, "interrupted"};
  if (done.error().code == Errc::invalid_argument) return wrong_usage(done.error().what);
  return {done.error().code == Errc::over_budget ? ExitStatus::nothing_started : ExitStatus::some_failed,
          done.error().what};
}

}  // namespace weir::parts
