#include "cli/command_reporter.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/read_stream.hpp"
#include "base/text.hpp"
#include "observe/progress.hpp"
#include "tasks/command_kind.hpp"

namespace weir::cli {
namespace {

using Json = nlohmann::ordered_json;
constexpr std::size_t kMaxTailBytes = 4096;  // the end of a failed command's log, for the JUnit report

jobs::Json parse_report(const std::string& report) {
  const auto json = jobs::parse_object(report.empty() ? "{}" : report);
  return json ? *json : jobs::Json::object();
}

Json item_json(const jobs::Item& item, const jobs::ItemResult& result, const jobs::Json& report) {
  Json json{{"status", jobs::name_of(result.status)}, {"item", tasks::item_text(item)}};
  if (!result.why.empty()) json["why"] = result.why;
  if (result.error) json["error"] = {{"code", weir::name_of(result.error->code)}, {"what", result.error->what}};
  if (result.refused) json["refused"] = true;
  for (const auto& [key, value] : report.items()) {
    if (!json.contains(key)) json[key] = value;
  }
  return json;
}

/// Returns the last kMaxTailBytes of a file; empty if it cannot be read.
std::string read_tail(const std::filesystem::path& path) {
  std::ifstream file{path, std::ios::binary | std::ios::ate};
  if (!file) return {};
  const auto size = static_cast<std::size_t>(std::max<std::streamoff>(file.tellg(), 0));
  file.seekg(static_cast<std::streamoff>(size - std::min(size, kMaxTailBytes)));
  return read_stream(file).value_or(std::string{});
}

TestCase::Result test_result(jobs::ItemStatus status) {
  if (status == jobs::ItemStatus::done) return TestCase::Result::passed;
  return status == jobs::ItemStatus::failed ? TestCase::Result::failed : TestCase::Result::skipped;
}

}  // namespace

void CommandReporter::on_attempt(const jobs::Item& item, const std::string& report) {
  device_growth_.record_attempt(tasks::item_text(item), parse_report(report));
}

void CommandReporter::on_item_result(const jobs::Item& item, const jobs::ItemResult& result) {
  log().set_status({});
  const jobs::Json report = parse_report(result.report);
  const double duration_s = jobs::number_field(report, "duration_s");
  sequential_s_ += duration_s;
  log_result(item, result, report);
  if (args().json) print_line(item_json(item, result, report));
  const bool failed = result.status == jobs::ItemStatus::failed;
  const auto log = jobs::decode_path(jobs::text_field(report, "log"));
  if (!args().guard.junit.empty())
    cases_.push_back({.name = jobs::display_name(item),
                      .result = test_result(result.status),
                      .message = result.error ? one_line(result.error->what) : result.why,
                      .output = failed && !log.empty() ? read_tail(log) : std::string{},
                      .seconds = duration_s});
}

void CommandReporter::log_result(const jobs::Item& item, const jobs::ItemResult& result, const jobs::Json& report) {
  const std::string name = jobs::display_name(item);
  if (result.status == jobs::ItemStatus::failed) {
    std::string line = failure_text(name, result.error.value_or(Error{Errc::failed, result.why}));
    if (const std::string log = jobs::text_field(report, "log"); !log.empty())
      line += fmt::format("; its output is in {}", printable(jobs::decode_path(log).native()));
    log().error(line);
  }
  for (const std::string& note : result.notes) note_once(name, note);
  if (result.status != jobs::ItemStatus::done) return;
  const std::string device = jobs::text_field(report, "device");
  log().info(fmt::format("{}: done in {}{}{}", name,
                         observe::format_duration(observe::Seconds{jobs::number_field(report, "duration_s")}),
                         device.empty() ? "" : " on " + printable(device),
                         result.variant.empty() ? "" : fmt::format(" (variant {})", printable(result.variant))));
}

void CommandReporter::note_once(const std::string& name, const std::string& note) {
  if (reported_notes_.insert(note).second) log().warning(fmt::format("{}: {}", name, printable(note)));
}

std::string CommandReporter::progress_text(const jobs::RunProgress& progress, int columns) const {
  std::size_t running = 0;
  for (const auto& device : progress.devices) running += device.item.empty() ? 0 : 1;
  std::string text = fmt::format("[{}/{}] {} running", progress.finished_items, progress.total_items, running);
  if (progress.remaining_s)
    text += fmt::format("  {} left", observe::format_clock(observe::Seconds{*progress.remaining_s}));
  if (!progress.idle_reason.empty()) text += "  " + progress.idle_reason;
  return text.substr(0, static_cast<std::size_t>(std::max(columns, 0)));
}

void CommandReporter::summary(const jobs::Totals& totals) {
  log().set_status({});
  const jobs::Json devices = device_growth_.log_verdicts();
  if (args().json)
    print_line({{"summary",
                 {{"items", totals.items},
                  {"done", totals.done},
                  {"redone", totals.redone},
                  {"skipped", totals.skipped},
                  {"failed", totals.failed},
                  {"refused", totals.refused},
                  {"smaller_variant", totals.smaller_variant},
                  {"interrupted", totals.interrupted},
                  {"seconds", totals.seconds},
                  {"sequential_seconds", args().guard.gpu_inside ? Json{} : Json(sequential_s_)},
                  {"failures", totals.failure_messages},
                  {"devices", devices}}}});
  log().info(fmt::format("{} in {}", counts_text(totals, "commands", totals.refused),
                         observe::format_duration(observe::Seconds{totals.seconds})));
  if (args().guard.gpu_inside) {
    log().info(fmt::format("their own times, with their waits for the device, add up to {}",
                           observe::format_duration(observe::Seconds{sequential_s_})));
    return;
  }
  if (sequential_s_ > 0 && totals.seconds > 0)
    log().info(fmt::format("their own times add up to {}: speed-up {:.1f}x",
                           observe::format_duration(observe::Seconds{sequential_s_}), sequential_s_ / totals.seconds));
}

}  // namespace weir::cli
