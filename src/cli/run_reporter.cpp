#include "cli/run_reporter.hpp"

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
constexpr std::size_t kTail = 4096;

jobs::Json parsed(const std::string& report) {
  const auto json = jobs::parse_object(report.empty() ? "{}" : report);
  return json ? *json : jobs::Json::object();
}

Json item_json(const jobs::Item& item, const jobs::ItemEnd& end, const jobs::Json& report) {
  Json json{{"status", jobs::name_of(end.status)}, {"item", tasks::text_of(item)}};
  if (!end.why.empty()) json["why"] = end.why;
  if (end.error) json["error"] = {{"code", weir::name_of(end.error->code)}, {"what", end.error->what}};
  if (end.refused) json["refused"] = true;
  for (const auto& [key, value] : report.items()) {
    if (!json.contains(key)) json[key] = value;
  }
  return json;
}

/// The end of a file; empty if it cannot be read.
std::string tail_of(const std::filesystem::path& path) {
  std::ifstream file{path, std::ios::binary | std::ios::ate};
  if (!file) return {};
  const auto size = static_cast<std::size_t>(std::max<std::streamoff>(file.tellg(), 0));
  file.seekg(static_cast<std::streamoff>(size - std::min(size, kTail)));
  return read_stream(file).value_or(std::string{});
}

TestCase::Result result_of(jobs::ItemStatus status) {
  if (status == jobs::ItemStatus::done) return TestCase::Result::passed;
  return status == jobs::ItemStatus::failed ? TestCase::Result::failed : TestCase::Result::skipped;
}

}  // namespace

void RunReporter::tried(const jobs::Item& item, const std::string& report) {
  watch_.tried(tasks::text_of(item), parsed(report));
}

void RunReporter::ended(const jobs::Item& item, const jobs::ItemEnd& end) {
  log().status({});
  const jobs::Json report = parsed(end.report);
  const double took = jobs::number_field(report, "took_s");
  one_after_the_other_s_ += took;
  tell(item, end, report);
  if (args().json) print_line(item_json(item, end, report));
  const bool failed = end.status == jobs::ItemStatus::failed;
  const auto log = jobs::decode_path(jobs::text_field(report, "log"));
  if (!args().guard.junit.empty())
    cases_.push_back({.name = jobs::shown_name(item),
                      .result = result_of(end.status),
                      .message = end.error ? one_line(end.error->what) : end.why,
                      .output = failed && !log.empty() ? tail_of(log) : std::string{},
                      .seconds = took});
}

void RunReporter::tell(const jobs::Item& item, const jobs::ItemEnd& end, const jobs::Json& report) {
  const std::string name = jobs::shown_name(item);
  if (end.status == jobs::ItemStatus::failed) {
    std::string line = failure_text(name, end.error.value_or(Error{Errc::failed, end.why}));
    if (const std::string log = jobs::text_field(report, "log"); !log.empty())
      line += fmt::format("; what it said is in {}", printable(jobs::decode_path(log).native()));
    log().error(line);
  }
  for (const std::string& note : end.notes) note_once(name, note);
  if (end.status != jobs::ItemStatus::done) return;
  const std::string device = jobs::text_field(report, "device");
  log().info(fmt::format("{}: done in {}{}{}", name,
                         observe::format_duration(observe::Seconds{jobs::number_field(report, "took_s")}),
                         device.empty() ? "" : " on " + printable(device),
                         end.variant.empty() ? "" : fmt::format(" (variant {})", printable(end.variant))));
}

void RunReporter::note_once(const std::string& name, const std::string& note) {
  if (noted_.insert(note).second) log().warning(fmt::format("{}: {}", name, printable(note)));
}

std::string RunReporter::progress_text(const jobs::RunProgress& progress, int columns) const {
  std::size_t running = 0;
  for (const auto& device : progress.devices) running += device.item.empty() ? 0 : 1;
  std::string text = fmt::format("[{}/{}] {} running", progress.ended, progress.items, running);
  if (progress.left_s) text += fmt::format("  {} left", observe::clock_text(observe::Seconds{*progress.left_s}));
  if (!progress.halted.empty()) text += "  " + progress.halted;
  return text.substr(0, static_cast<std::size_t>(std::max(columns, 0)));
}

void RunReporter::summary(const jobs::Totals& totals) {
  log().status({});
  const jobs::Json devices = watch_.verdicts();
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
                  {"one_after_the_other_seconds", args().guard.gpu_inside ? Json{} : Json(one_after_the_other_s_)},
                  {"failures", totals.failures},
                  {"devices", devices}}}});
  log().info(fmt::format("{} in {}", counts_text(totals, "commands", totals.refused),
                         observe::format_duration(observe::Seconds{totals.seconds})));
  if (args().guard.gpu_inside) {
    log().info(fmt::format("their own times, with their waits for the device, add up to {}",
                           observe::format_duration(observe::Seconds{one_after_the_other_s_})));
    return;
  }
  if (one_after_the_other_s_ > 0 && totals.seconds > 0)
    log().info(fmt::format("their own times add up to {}: speed-up {:.1f}x",
                           observe::format_duration(observe::Seconds{one_after_the_other_s_}),
                           one_after_the_other_s_ / totals.seconds));
}

}  // namespace weir::cli
