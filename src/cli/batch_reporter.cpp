#include "cli/batch_reporter.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/text.hpp"

namespace weir::cli {
namespace {

using Json = nlohmann::ordered_json;
constexpr auto kPlainInterval = std::chrono::seconds{10};  // between lines of progress that no terminal shows

std::string to_line(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace) + '\n'; }

/// What the worker reported, with what became of it afterwards.
Json item_json(const jobs::Item& item, const jobs::ItemEnd& end) {
  Json json = Json::parse(end.report.empty() ? "{}" : end.report, nullptr, false);
  if (!json.is_object()) json = Json::object();
  Json whole{{"status", jobs::name_of(end.status)},
             {"input", item.inputs.empty() ? "-" : item.inputs.front().native()},
             {"output", item.outputs.front().native()}};
  if (!end.why.empty()) whole["why"] = end.why;
  if (end.redone) whole["redone"] = true;
  if (!end.rung.empty()) whole["rung"] = end.rung;
  if (!end.device.empty()) whole["device"] = end.device;
  if (end.error)
    whole["error"] = {{"code", end.fault ? "fault" : weir::name_of(end.error->code)}, {"what", end.error->what}};
  for (const auto& [key, value] : json.items()) {
    if (!whole.contains(key)) whole[key] = value;
  }
  return whole;
}

Json summary_json(const jobs::Totals& totals) {
  Json devices = Json::array();
  for (const auto& device : totals.devices) {
    devices.push_back({{"device", device.name},
                       {"items", device.items},
                       {"megapixels", device.amount},
                       {"busy_seconds", device.busy_s},
                       {"busy_percent", 100 * device.busy_s / std::max(totals.seconds, 1e-9)}});
  }
  return {{"summary",
           {{"items", totals.items},
            {"done", totals.done},
            {"redone", totals.redone},
            {"skipped", totals.skipped},
            {"failed", totals.failed},
            {"lower_rung", totals.lower_rung},
            {"megapixels", totals.amount},
            {"seconds", totals.seconds},
            {"interrupted", totals.interrupted},
            {"failures", totals.failures},
            {"devices", devices}}}};
}

std::string counts_text(const jobs::Totals& totals) {
  std::string text = fmt::format("{} of {} pictures done", totals.done, totals.items);
  if (totals.redone > 0) text += fmt::format(" ({} again)", totals.redone);
  if (totals.skipped > 0) text += fmt::format(", {} done before", totals.skipped);
  if (totals.failed > 0) text += fmt::format(", {} failed", totals.failed);
  if (totals.lower_rung > 0) text += fmt::format(", {} on a lower rung", totals.lower_rung);
  return text;
}

std::string progress_text(const jobs::RunProgress& run, int columns) {
  const std::size_t room = static_cast<std::size_t>(std::max(columns, 0));
  std::string head = run.items > 1 ? fmt::format("[{}/{}] ", run.ended, run.items) : std::string{};
  std::string rest;
  if (!run.halted.empty()) rest += "  " + run.halted;
  if (run.seconds > 0) rest += fmt::format("  {:.2f} MP/s", run.amount / run.seconds);
  if (run.left_s) rest += fmt::format("  {} left", observe::clock_text(observe::Seconds{*run.left_s}));
  const std::size_t taken = head.size() + rest.size();
  const std::size_t each = run.devices.empty() || room <= taken ? 0 : (room - taken) / run.devices.size();
  for (const auto& device : run.devices) {
    const std::string name = run.devices.size() > 1 ? printable(device.name) + " " : std::string{};
    const std::string percent =
        device.item.empty() ? std::string{"-"} : fmt::format("  {:3.0f} %", std::floor(100 * device.fraction));
    const std::size_t fixed = name.size() + percent.size() + 2;
    const bool told = !device.item.empty() && each > fixed;
    head += fmt::format("{}{}{}  ", name, told ? observe::shorten(device.item, each - fixed) : "", percent);
  }
  if (head.ends_with("  ")) head.resize(head.size() - 2);
  return (head + rest).substr(0, room);
}

}  // namespace

void BatchReporter::decided(const jobs::Item& item, const jobs::Decision& decision) {
  if (!args_.checkpoints.explain) return;
  const char* word = decision.action == jobs::Action::skip                       ? "skipped"
                     : decision.action == jobs::Action::work && decision.replace ? "done again"
                     : decision.action == jobs::Action::work                     ? "to do"
                                                                                 : "not done";
  const std::string why = decision.why.empty() && decision.failure ? one_line(decision.failure->what) : decision.why;
  log_.info(fmt::format("{}: {}: {}", jobs::shown_name(item), word, why));
}

void BatchReporter::ended(const jobs::Item& item, const jobs::ItemEnd& end) {
  log_.status({});
  tell(item, end);
  if (args_.json) output_.print(to_line(item_json(item, end)));
}

void BatchReporter::tell(const jobs::Item& item, const jobs::ItemEnd& end) {
  const std::string name = item.inputs.empty() ? "-" : jobs::shown_name(item);
  if (end.status == jobs::ItemStatus::failed)
    log_.error(failure_text(name, end.error.value_or(Error{Errc::unsupported, end.why})));
  for (const std::string& note : end.notes) log_.warning(fmt::format("{}: {}", name, printable(note)));
  if (end.status != jobs::ItemStatus::done) return;
  const auto report = jobs::parse_object(end.report);
  const jobs::Json size = report ? jobs::object_field(*report, "output_picture") : jobs::Json::object();
  const std::string output = shown(item.outputs.front());
  if (size.empty()) return log_.info(fmt::format("{} -> {}: {}", name, output, end.why));
  log_.info(done_text(name, output, static_cast<int>(jobs::number_field(size, "width")),
                      static_cast<int>(jobs::number_field(size, "height")), end.seconds) +
            (end.rung.empty() ? "" : fmt::format(" (with {})", printable(end.rung))));
}

void BatchReporter::progress(const jobs::RunProgress& progress) {
  const auto now = std::chrono::steady_clock::now();
  if (log_.has_status()) return log_.status(progress_text(progress, log_.columns() - 1));
  if (now - shown_ < kPlainInterval) return;
  shown_ = now;
  log_.info(progress_text(progress, 200));
}

void BatchReporter::said(jobs::Loudness loudness, const std::string& text) {
  if (loudness == jobs::Loudness::error) return log_.error(text);
  if (loudness == jobs::Loudness::warning) return log_.warning(text);
  log_.info(text);
}

void BatchReporter::summary(const jobs::Totals& totals) {
  log_.status({});
  if (totals.items > 1 && args_.json) output_.print(to_line(summary_json(totals)));
  if (totals.items < 2) return;
  log_.info(fmt::format("{}, {:.1f} MP in {}", counts_text(totals), totals.amount,
                        observe::format_duration(observe::Seconds{totals.seconds})));
  if (totals.devices.size() < 2) return;
  for (const auto& device : totals.devices)
    log_.info(fmt::format("  {}: {} pictures, {:.1f} MP, busy {:.0f} %", printable(device.name), device.items,
                          device.amount, 100 * device.busy_s / std::max(totals.seconds, 1e-9)));
}

}  // namespace weir::cli
