#include "parts/film/film_dry_run.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/text.hpp"
#include "cli/batch_setup.hpp"
#include "cli/report.hpp"
#include "jobs/coordinator.hpp"
#include "observe/progress.hpp"
#include "tasks/film/film_estimate.hpp"

namespace weir::parts {
namespace {

using Json = nlohmann::ordered_json;

/// Returns the time until all is done, with equal devices.
double total_seconds(const film::FilmEstimate& estimate, std::size_t devices) {
  return estimate.work_time.count() / static_cast<double>(devices);
}

/// Returns the memory of the coordinator and all workers.
Bytes needed_ram(const film::FilmEstimate& estimate, std::size_t devices) {
  constexpr Bytes kEarlierSteps = 8_MiB;  // what a worker keeps of the steps that it did before
  return jobs::ram_of_run(estimate.worker_ram + kEarlierSteps, devices, 1);
}

/// Returns the value of --ram for at least `ram`.
std::string ram_argument(Bytes ram) { return fmt::format("{}M", (ram + 1_MiB).count() >> 20); }

std::string text_of(const film::FilmItem& film, const film::FilmEstimate& estimate, std::size_t devices) {
  const enhance::UpscalePlan& plan = estimate.plan;
  std::string text = fmt::format("{} -> {}\n", cli::display_path(film.film), cli::display_path(film.output));
  text += fmt::format("  frames     {}{} of {}x{}, enlarged to {}x{}\n", estimate.is_exact ? "" : "about ",
                      estimate.frames, plan.input_width, plan.input_height, plan.output_width, plan.output_height);
  text += fmt::format("  segments   {}{}\n", estimate.is_exact ? "" : "about ", estimate.segments);
  text += fmt::format("  memory     {} for each of {} worker{}; --ram {} or more\n", to_text(estimate.worker_ram),
                      devices, devices == 1 ? "" : "s", ram_argument(needed_ram(estimate, devices)));
  if (plan.device_memory > Bytes{})
    text += fmt::format("  GPU        {} on {}\n", to_text(plan.device_memory), printable(plan.device_name));
  text += fmt::format("  disk       about {}: segments, and as much for the result\n",
                      to_text(Bytes{2 * estimate.film_size.count()}));
  return text + fmt::format("  time       about {}, of the network\n",
                            observe::format_duration(observe::Seconds{total_seconds(estimate, devices)}));
}

Json json_of(const film::FilmItem& film, const film::FilmEstimate& estimate, std::size_t devices) {
  const enhance::UpscalePlan& plan = estimate.plan;
  return {{"status", "planned"},
          {"input", film.film.native()},
          {"output", film.output.native()},
          {"frames", estimate.frames},
          {"frames_exact", estimate.is_exact},
          {"segments", estimate.segments},
          {"width", plan.output_width},
          {"height", plan.output_height},
          {"workers", devices},
          {"ram_per_worker", estimate.worker_ram.count()},
          {"ram", needed_ram(estimate, devices).count()},
          {"device_memory", plan.device_memory.count()},
          {"disk", 2 * estimate.film_size.count()},
          {"seconds", total_seconds(estimate, devices)}};
}

}  // namespace

cli::ExitResult plan_films(const cli::Arguments& args, const film::FilmRequest& request, const film::FilmList& list,
                           tasks::NetworkCache network_cache, std::size_t devices) {
  observe::Log log = cli::make_log(args);
  cli::ResultOutput output;
  const auto upscalers =
      tasks::make_upscaler_source([&](double scale) { return network_cache.load(scale); }, request.upscale.upscale);
  std::size_t failed = 0, refused = 0;
  for (const film::FilmItem& film : list.items) {
    const auto estimate =
        film.problem ? Result<film::FilmEstimate>{*film.problem} : film::estimate_film(film, request, upscalers);
    if (!estimate) {
      ++failed;
      refused += estimate.error().code == Errc::over_budget ? 1U : 0U;
      log.error(cli::failure_text(cli::display_path(film.film), estimate.error()));
      continue;
    }
    output.print(args.json
                     ? json_of(film, *estimate, devices).dump(-1, ' ', false, Json::error_handler_t::replace) + '\n'
                     : text_of(film, *estimate, devices));
  }
  if (refused > 0 && refused == list.items.size())
    return {cli::ExitStatus::nothing_started, "every film needs more memory than the limit"};
  if (failed > 0)
    return {cli::ExitStatus::some_failed, fmt::format("{} of {} films failed", failed, list.items.size())};
  if (output.problem()) return {cli::ExitStatus::some_failed, output.problem()->what};
  return {};
}

std::string enough_memory_text(film::FilmRequest request, const film::FilmList& list, tasks::NetworkCache network_cache,
                               std::size_t devices) {
  request.upscale.upscale.ram = {};  // no limit
  const auto upscalers =
      tasks::make_upscaler_source([&](double scale) { return network_cache.load(scale); }, request.upscale.upscale);
  Bytes most;
  for (const film::FilmItem& film : list.items) {
    if (film.problem) continue;
    if (const auto estimate = film::estimate_film(film, request, upscalers))
      most = std::max(most, needed_ram(*estimate, devices));
  }
  return most == Bytes{} ? "" : fmt::format("the films need --ram {}", ram_argument(most));
}

}  // namespace weir::parts
