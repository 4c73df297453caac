#include "cli/run_reporter.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/text.hpp"
#include "observe/progress.hpp"
#include "tasks/command_kind.hpp"
#include "tasks/guarded_report.hpp"

namespace weir::cli {
namespace {

using Json = nlohmann::ordered_json;
constexpr auto kPlainInterval = std::chrono::seconds{10};  // between lines of progress that no terminal shows
constexpr std::size_t kTail = 4096;

std::string to_line(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace) + '\n'; }

jobs::Json report_of(const jobs::ItemEnd& end) {
  const auto report = jobs::parse_object(end.report.empty() ? "{}" : end.report);
  return report ? *report : jobs::Json::object();
}

Json item_json(const jobs::Item& item, const jobs::ItemEnd& end, const jobs::Json& report) {
  Json json{{"status", jobs::name_of(end.status)}, {"item", tasks::text_of(item)}};
  if (!end.why.empty()) json["why"] = end.why;
  if (end.error) json["error"] = {{"code", weir::name_of(end.error->code)}, {"what", end.error->what}};
  if (end.refused) json["refused"] = true;
  for (const auto& [key, value] : report.items()) json[key] = value;
  return json;
}

/// The end of a file; empty if it cannot be read.
std::string tail_of(const std::filesystem::path& path) {
  std::ifstream file{path, std::ios::binary | std::ios::ate};
  if (!file) return {};
  const auto size = static_cast<std::size_t>(std::max<std::streamoff>(file.tellg(), 0));
  file.seekg(static_cast<std::streamoff>(size - std::min(size, kTail)));
  return {std::istreambuf_iterator<char>{file}, {}};
}

std::string counts_text(const jobs::Totals& totals) {
  std::string text = fmt::format("{} of {} commands done", totals.done, totals.items);
  if (totals.redone > 0) text += fmt::format(" ({} again)", totals.redone);
  if (totals.skipped > 0) text += fmt::format(", {} done before", totals.skipped);
  if (totals.failed > 0) text += fmt::format(", {} failed", totals.failed);
  if (totals.refused > 0) text += fmt::format(" ({} refused)", totals.refused);
  if (totals.lower_rung > 0) text += fmt::format(", {} on a lower rung", totals.lower_rung);
  return text;
}

TestCase::Result result_of(jobs::ItemStatus status) {
  if (status == jobs::ItemStatus::done) return TestCase::Result::passed;
  return status == jobs::ItemStatus::failed ? TestCase::Result::failed : TestCase::Result::skipped;
}

}  // namespace

void RunReporter::decided(const jobs::Item& item, const jobs::Decision& decision) {
  if (!args_.checkpoints.explain) return;
  const bool work = decision.action == jobs::Action::work;
  const char* word = decision.action == jobs::Action::skip ? "skipped"
                     : work && decision.replace            ? "done again"
                     : work                                ? "to do"
                                                           : "not done";
  const std::string why = decision.why.empty() && decision.failure ? one_line(decision.failure->what) : decision.why;
  log_.info(fmt::format("{}: {}: {}", jobs::shown_name(item), word, why));
}

void RunReporter::ended(const jobs::Item& item, const jobs::ItemEnd& end) {
  log_.status({});
  const jobs::Json report = report_of(end);
  const double took = jobs::number_field(report, "took_s");
  one_after_the_other_s_ += took;
  tell(item, end, report);
  if (args_.json) output_.print(to_line(item_json(item, end, report)));
  const bool failed = end.status == jobs::ItemStatus::failed;
  const auto log = jobs::decode_path(jobs::text_field(report, "log"));
  if (!args_.guard.junit.empty())
    cases_.push_back({.name = jobs::shown_name(item),
                      .result = result_of(end.status),
                      .message = end.error ? one_line(end.error->what) : end.why,
                      .output = failed && !log.empty() ? tail_of(log) : std::string{},
                      .seconds = took});
  if (report.contains("device_after_bytes")) watch_device(item, report);
}

void RunReporter::tell(const jobs::Item& item, const jobs::ItemEnd& end, const jobs::Json& report) {
  const std::string name = jobs::shown_name(item);
  if (end.status == jobs::ItemStatus::failed) {
    std::string line = failure_text(name, end.error.value_or(Error{Errc::failed, end.why}));
    if (const std::string log = jobs::text_field(report, "log"); !log.empty())
      line += fmt::format("; what it said is in {}", printable(jobs::decode_path(log).native()));
    log_.error(line);
  }
  for (const std::string& note : end.notes) note_once(name, note);
  if (end.status != jobs::ItemStatus::done) return;
  const std::string device = jobs::text_field(report, "device");
  log_.info(fmt::format("{}: done in {}{}{}", name,
                        observe::format_duration(observe::Seconds{jobs::number_field(report, "took_s")}),
                        device.empty() ? "" : " on " + printable(device),
                        end.rung.empty() ? "" : fmt::format(" (rung {})", printable(end.rung))));
}

void RunReporter::note_once(const std::string& name, const std::string& note) {
  if (noted_.insert(note).second) log_.warning(fmt::format("{}: {}", name, printable(note)));
}

/// What is in use on a device once an item is over: it should be the same after each.
void RunReporter::watch_device(const jobs::Item& item, const jobs::Json& report) {
  tasks::count_device(report, metrics_);
  const std::string device = jobs::text_field(report, "device");
  const double before = jobs::number_field(report, "device_before_bytes");
  const double after = jobs::number_field(report, "device_after_bytes");
  events_.write(observe::Level::info, "test_complete", report);
  if (before == 0 && after == 0) return;
  jobs::GrowthWatch& growth = growth_[device];
  growth.add(jobs::bytes_field(report, "device_after_bytes"));
  const bool one = after - before > static_cast<double>(args_.guard.max_leak.count());
  const bool creeps = growth.is_leak() && alarmed_.insert(device).second;
  if (!one && !creeps) return;
  events_.write(observe::Level::warning, "memory_leak_warning",
                {{"item", tasks::text_of(item)},
                 {"device", device},
                 {"leak_bytes", after - before},
                 {"bytes_per_item", growth.bytes_per_item()}});
  if (creeps)
    log_.warning(fmt::format("{}: memory in use grows by {} an item", printable(device),
                             to_text(Bytes{static_cast<std::uint64_t>(std::max(0.0, growth.bytes_per_item()))})));
}

void RunReporter::progress(const jobs::RunProgress& progress) {
  std::size_t running = 0;
  for (const auto& device : progress.devices) running += device.item.empty() ? 0 : 1;
  std::string text = fmt::format("[{}/{}] {} running", progress.ended, progress.items, running);
  if (progress.left_s) text += fmt::format("  {} left", observe::clock_text(observe::Seconds{*progress.left_s}));
  if (!progress.halted.empty()) text += "  " + progress.halted;
  const auto now = std::chrono::steady_clock::now();
  if (log_.has_status()) return log_.status(text.substr(0, static_cast<std::size_t>(std::max(log_.columns() - 1, 0))));
  if (now - shown_ < kPlainInterval) return;
  shown_ = now;
  log_.info(text);
}

void RunReporter::said(jobs::Loudness loudness, const std::string& text) {
  if (loudness == jobs::Loudness::error) return log_.error(text);
  if (loudness == jobs::Loudness::warning) return log_.warning(text);
  log_.info(text);
}

void RunReporter::summary(const jobs::Totals& totals) {
  log_.status({});
  Json devices = Json::array();
  for (const auto& [device, growth] : growth_) {
    devices.push_back({{"device", device}, {"bytes_per_item", growth.bytes_per_item()}});
    events_.write(growth.is_leak() ? observe::Level::warning : observe::Level::info, "memory_leak_validation",
                  {{"device", device}, {"bytes_per_item", growth.bytes_per_item()}, {"passed", !growth.is_leak()}});
  }
  if (args_.json)
    output_.print(to_line({{"summary",
                            {{"items", totals.items},
                             {"done", totals.done},
                             {"redone", totals.redone},
                             {"skipped", totals.skipped},
                             {"failed", totals.failed},
                             {"refused", totals.refused},
                             {"lower_rung", totals.lower_rung},
                             {"interrupted", totals.interrupted},
                             {"seconds", totals.seconds},
                             {"one_after_the_other_seconds", one_after_the_other_s_},
                             {"failures", totals.failures},
                             {"devices", devices}}}}));
  log_.info(fmt::format("{} in {}", counts_text(totals), observe::format_duration(observe::Seconds{totals.seconds})));
  if (one_after_the_other_s_ > 0 && totals.seconds > 0)
    log_.info(fmt::format("one after the other, at the speed that they had here, they take {}: {:.1f} times as long",
                          observe::format_duration(observe::Seconds{one_after_the_other_s_}),
                          one_after_the_other_s_ / totals.seconds));
}

}  // namespace weir::cli
