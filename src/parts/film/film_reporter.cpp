#include "parts/film/film_reporter.hpp"

#include <algorithm>
#include <map>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/text.hpp"
#include "cli/item_json.hpp"
#include "cli/report.hpp"
#include "jobs/json.hpp"
#include "observe/progress.hpp"
#include "tasks/film/film_plan.hpp"

namespace weir::parts {
namespace {

using jobs::Json;
using observe::Seconds;

/// Returns the error in one line with the name of its item. Errors of a film's own file already begin with it.
std::string error_text(const jobs::Item& item, const Error& error) {
  const std::string path = item.inputs.empty() ? std::string{} : cli::display_path(item.inputs.front());
  if (error.what.starts_with(path + ": ") && item.task != film::kSegmentKind) return one_line(error.what);
  return cli::failure_text(jobs::display_name(item), error);
}

/// Returns a line of at most `length` columns, in which the name of an item is shortened.
std::string fit_line(const std::string& before, const std::string& name, const std::string& after, std::size_t length) {
  const std::size_t fixed = before.size() + after.size();
  const std::string shown = name.empty() || fixed >= length ? "" : observe::shorten_name(name, length - fixed);
  return (before + shown + after).substr(0, length);
}

Json report_of(const jobs::ItemResult& result) {
  const auto report = jobs::parse_object(result.report);
  return report ? *report : Json::object();
}

/// Returns how much of the devices' time each stage worked, and what would help if the encoder takes nearly all of it; empty if
/// nothing is known. The stages work at the same time, so the shares may add up to more than 100 %.
std::string bottleneck_text(const jobs::Totals& totals) {
  constexpr double kNearlyAll = 0.8;
  std::map<std::string, double> seconds;
  double busy = 0;
  for (const auto& device : totals.devices) {
    busy += device.busy_s;
    for (const auto& [stage, time] : device.stage_seconds) seconds[stage] += time;
  }
  if (seconds.empty() || busy <= 0) return {};
  std::string text;
  for (const char* stage : {"decode", "network", "encode"})
    text += fmt::format("{}{} {:.0f} %", text.empty() ? "" : ", ", stage, 100 * seconds[stage] / busy);
  const bool waits_for_encoder = seconds["encode"] > kNearlyAll * busy && seconds["network"] < seconds["encode"];
  return text + " of the time" + (waits_for_encoder ? ": the encoder is slowest; try --preset veryfast" : "");
}

}  // namespace

/// A line with the frames, the speed and the remaining time; a line per film with its finished segments; and a
/// line per device with its segment, frames, speed and remaining time.
std::string FilmReporter::progress_text(const jobs::RunProgress& run, int columns) const {
  const auto line_length = static_cast<std::size_t>(std::max(columns, 0));
  std::string text = fmt::format("{:.0f} frames", run.amount);
  if (run.seconds > 0 && run.amount > 0) text += fmt::format(", {:.2f} frames/s", run.amount / run.seconds);
  if (run.remaining_s) text += fmt::format(", {} left", observe::format_clock(Seconds{*run.remaining_s}));
  if (!run.idle_reason.empty()) text += ", " + run.idle_reason;
  text.resize(std::min(text.size(), line_length));
  for (const auto& film : run.waiting) {
    if (film.kind != film::kSegmentKind) continue;
    text += '\n' + fit_line("", film.name, fmt::format("  {} of {} segments", film.finished, film.count), line_length);
  }
  for (const auto& device : run.devices) {
    std::string end = device.item.empty() ? "no item" : fmt::format("  {:3.0f} %", 100 * device.fraction);
    if (device.speed > 0 && device.amount > 0)
      end += fmt::format(", {:.0f} frames, {:.2f} frames/s", device.amount, device.speed);
    if (device.item_remaining_s)
      end += fmt::format(", {} left", observe::format_clock(Seconds{*device.item_remaining_s}));
    text += '\n' + fit_line(printable(device.name) + "  ", device.item, end, line_length);
  }
  return text;
}

void FilmReporter::on_item_result(const jobs::Item& item, const jobs::ItemResult& result) {
  log().set_status({});
  if (result.error && result.error->code == Errc::over_budget) lacked_memory_ = true;
  if (result.status == jobs::ItemStatus::failed)
    report_failure(item, result.error.value_or(Error{Errc::unsupported, result.why}));
  if (item.task == film::kFilmKind) report_film(item, result);
  if (item.task == film::kIndexKind) report_index(item, result);
  if (item.task == film::kSegmentKind)
    for (const std::string& note : result.notes)
      log().warning(fmt::format("{}: {}", jobs::display_name(item), printable(note)));
}

/// A film that fails because of its index or a segment repeats the text of their failure, which is reported already.
void FilmReporter::report_failure(const jobs::Item& item, const Error& error) {
  const bool is_reported = std::any_of(failures_.begin(), failures_.end(),
                                       [&](const std::string& each) { return error.what.ends_with(each); });
  if (item.task == film::kFilmKind && is_reported) return;
  if (item.task != film::kFilmKind) failures_.insert(one_line(error.what));
  log().error(error_text(item, error));
}

void FilmReporter::report_index(const jobs::Item& item, const jobs::ItemResult& result) {
  if (result.status != jobs::ItemStatus::done) return;
  const Json report = report_of(result);
  log().info(fmt::format("{}: {} frames, {} segments, in {}", jobs::display_name(item),
                         jobs::count_field(report, "frames"), jobs::count_field(report, "segments"),
                         observe::format_duration(Seconds{result.seconds})));
}

void FilmReporter::report_film(const jobs::Item& item, const jobs::ItemResult& result) {
  if (!result.damage.empty()) log().error(cli::damage_line(jobs::display_name(item), result.damage));
  const Json report = report_of(result);
  for (const std::string& lost : result.notes)
    log().warning(fmt::format("{}: not kept: {}", jobs::display_name(item), printable(lost)));
  if (result.status == jobs::ItemStatus::done)
    log().info(fmt::format("{} -> {}: {} frames, {}, {} MB, verified", jobs::display_name(item),
                           cli::display_path(item.outputs.front()), jobs::count_field(report, "frames"),
                           jobs::text_field(report, "size"), jobs::count_field(report, "bytes") / 1'000'000));
  if (args().json) print_line(cli::item_json(item, result));
}

void FilmReporter::summary(const jobs::Totals& totals) {
  log().set_status({});
  if (totals.items > 1) log().info(cli::counts_text(totals, "films", totals.refused));
  if (totals.amount <= 0) return;
  log().info(fmt::format("{:.0f} frames in {}, {:.2f} frames/s", totals.amount,
                         observe::format_duration(Seconds{totals.seconds}),
                         totals.amount / std::max(totals.seconds, 1e-9)));
  if (const std::string bottleneck = bottleneck_text(totals); !bottleneck.empty()) log().info("  " + bottleneck);
  if (totals.devices.size() < 2) return;
  for (const auto& device : totals.devices)
    log().info(fmt::format("  {}: {:.0f} frames, busy {:.0f} %", printable(device.name), device.amount,
                           100 * device.busy_s / std::max(totals.seconds, 1e-9)));
}

}  // namespace weir::parts
