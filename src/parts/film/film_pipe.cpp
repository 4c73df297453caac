#include "parts/film/film_pipe.hpp"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <utility>

#include <fmt/format.h>

#include "base/signals.hpp"
#include "base/standard_streams.hpp"
#include "base/text.hpp"
#include "cli/batch_setup.hpp"
#include "cli/report.hpp"
#include "cli/upscale_setup.hpp"
#include "observe/progress.hpp"
#include "tasks/film/film_stream.hpp"

namespace weir::parts {
namespace {

using cli::Arguments;
using cli::ExitResult;
using cli::ExitStatus;
using cli::wrong_usage;
using Clock = std::chrono::steady_clock;

constexpr int kStandardInput = 0, kStandardOutput = 1;

/// Returns why the flags do not go with a pipe; empty: they do.
std::string check_usage(const Arguments& args) {
  if (args.operands.size() != 1) return "with a pipe there is one film: weir film - -o FILE, or weir film FILE -o -";
  if (args.dry_run) return "--dry-run needs files: nothing is known of a film on a pipe before it is read";
  const bool is_cut = args.film.from_s || args.film.to_s || args.film.limit;
  for (const auto& [is_given, flag] :
       {std::pair{is_cut, "--from, --to and --limit"}, std::pair{args.film.audio != "copy", "--audio"},
        std::pair{args.film.deinterlace == "on", "--deinterlace on"},
        std::pair{args.damaged == media::DamagePolicy::refuse, "--damaged refuse"}})
    if (is_given) return fmt::format("{}: not with a pipe; give files", flag);
  return {};
}

film::FileOrDescriptor place(const std::string& name, int descriptor, const char* pipe) {
  if (name == "-") return film::OpenDescriptor{descriptor, pipe};
  return std::filesystem::path{name};
}

/// Returns the container of the result. Errors: invalid_argument.
Result<film::Container> choose_container(const Arguments& args) {
  const auto given = film::container_named(args.film.container);
  if (args.output == "-") return given.value_or(film::Container::nut);
  const auto named = film::container_of(args.output);
  if (!named)
    return Error{Errc::invalid_argument,
                 fmt::format("the extension of the output {} is not that of a container", printable(args.output))};
  if (given && *given != *named)
    return Error{Errc::invalid_argument, fmt::format("--format {} contradicts the output's name {}",
                                                     args.film.container, printable(args.output))};
  return *named;
}

/// Reports what the run did, and returns the command's result.
ExitResult report(const film::StreamReport& done, const Arguments& args, double seconds, observe::Log& log) {
  const std::string name = args.operands.front() == "-" ? "standard input" : printable(args.operands.front());
  if (!done.damage.empty()) log.error(cli::damage_line(name, done.damage));
  for (const std::string& lost : done.lost) log.warning(fmt::format("{}: not kept: {}", name, printable(lost)));
  for (const std::string& note : done.notes) log.warning(fmt::format("{}: {}", name, printable(note)));
  log.info(fmt::format("{} -> {}: {} frames, {}x{}, {}, {:.2f} frames/s", name, printable(args.output), done.frames,
                       done.film.format.frames.width, done.film.format.frames.height,
                       observe::format_duration(observe::Seconds{seconds}),
                       static_cast<double>(done.frames) / std::max(seconds, 1e-9)));
  if (done.damage.empty()) return {};
  return {ExitStatus::some_failed, cli::damaged_text(1, 1)};
}

}  // namespace

bool uses_pipe(const Arguments& args) {
  return args.output == "-" || std::find(args.operands.begin(), args.operands.end(), "-") != args.operands.end();
}

ExitResult run_film_over_pipe(const cli::Invocation& invocation, film::FilmRequest request) {
  const Arguments& args = invocation.args();
  if (auto usage_error = check_usage(args); !usage_error.empty()) return wrong_usage(std::move(usage_error));
  const auto container = choose_container(args);
  if (!container) return wrong_usage(container.error().what);
  const SignalBlocker signal_blocker;
  const SignalStopSource signals{cli::kUpscaleGrace, static_cast<int>(ExitStatus::interrupted), cli::print_interrupted};
  if (auto bound = cli::bind_to_first_device(args); !bound) return {ExitStatus::nothing_started, bound.error().what};
  if (auto added = cli::add_gpu(args, request.upscale.upscale); !added) return cli::make_refusal(added.error());
  auto network_cache = cli::open_networks(request.upscale);
  if (!network_cache) return cli::make_refusal(network_cache.error());
  observe::Log log = cli::make_log(args);
  const auto start = Clock::now();
  const auto seconds = [&] { return std::chrono::duration<double>{Clock::now() - start}.count(); };
  // Raw frames are what the next program of a pipe reads without loss.
  const bool is_raw = args.output == "-" && !invocation.command_line.has_flag("--codec");
  if (is_raw) request.encode.codec = film::VideoCodec::raw;
  request.encode.threads = request.encoder_threads.value_or(request.suggested_encoder_threads);
  film::StreamRequest stream{.input = place(args.operands.front(), kStandardInput, "standard input"),
                             .output = place(args.output, kStandardOutput, "standard output"),
                             .overwrite = args.overwrite,
                             .container = *container,
                             .encode = request.encode,
                             .decoder_threads = request.decoder_threads,
                             .upscale = request.upscale.upscale,
                             .upscalers = tasks::make_upscaler_source(
                                 [&](double scale) { return network_cache->load(scale); }, request.upscale.upscale),
                             .stop = signals.token()};
  stream.progress = [&](film::FrameNumber frames) {
    if (log.shows_status())
      log.set_status(
          fmt::format("{} frames, {:.2f} frames/s", frames, static_cast<double>(frames) / std::max(seconds(), 1e-9)));
  };
  const auto done = film::run_film_stream(stream);
  log.set_status({});
  if (done) return report(*done, args, seconds(), log);
  if (done.error().code == Errc::cancelled) return {ExitStatus::interrupted, "interrupted"};
  if (done.error().code == Errc::invalid_argument) return wrong_usage(done.error().what);
  return {done.error().code == Errc::over_budget ? ExitStatus::nothing_started : ExitStatus::some_failed,
          done.error().what};
}

}  // namespace weir::parts
