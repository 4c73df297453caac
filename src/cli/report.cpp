#include "cli/report.hpp"

#include <cmath>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/text.hpp"
#include "observe/progress.hpp"

namespace weir::cli {
namespace {

using Json = nlohmann::ordered_json;

double rounded(double value, double step) { return std::round(value / step) * step; }

std::string_view name_of(Errc code) {
  switch (code) {
    case Errc::invalid_argument:
      return "invalid_argument";
    case Errc::over_budget:
      return "over_budget";
    case Errc::unsupported:
      return "unsupported";
    case Errc::device_lost:
      return "device_lost";
    case Errc::io:
      return "io";
    case Errc::corrupt:
      return "corrupt";
    case Errc::cancelled:
      return "cancelled";
    case Errc::timed_out:
      return "timed_out";
    case Errc::exists:
      return "exists";
    case Errc::bad_values:
      return "bad_values";
  }
  return "unknown";
}

Json picture_of(const media::PictureInfo& info) {
  return {{"width", info.width}, {"height", info.height}, {"colours", info.colours},
          {"alpha", info.alpha}, {"bits", info.bits},     {"format", media::name_of(info.format)}};
}

Json network_of(const nn::Network& network) {
  return {{"name", network.name},
          {"family", network.family.name},
          {"scale", network.family.scale},
          {"path", network.param.native()}};
}

Json plan_of(const enhance::UpscalePlan& plan) {
  Json parts = Json::array();
  for (const auto& part : plan.parts)
    parts.push_back({{"name", part.name},
                     {"ram_bytes", part.ram.count()},
                     {"disk_bytes", part.disk.count()},
                     {"device_bytes", part.device.count()}});
  return {{"ram_bytes", plan.ram.count()},
          {"disk_bytes", plan.disk.count()},
          {"device_bytes", plan.device_memory.count()},
          {"parts", parts},
          {"band_height", plan.band_height},
          {"strip_width", plan.strip_width},
          {"strip_halo", plan.strip_halo},
          {"tile", plan.tile},
          {"passes", plan.passes},
          {"network_runs", plan.network_runs},
          {"resized", plan.resized},
          {"multiplications", plan.multiplications},
          {"expected_seconds", rounded(plan.expected_time.count(), 0.001)}};
}

void add_plan(const enhance::UpscalePlan& plan, media::Format format, Json& json) {
  json["output_picture"] = {
      {"width", plan.output_width}, {"height", plan.output_height}, {"format", media::name_of(format)}};
  json["precision"] = plan.precision;
  json["instruction_set"] = plan.instruction_set;
  json["device"] = plan.device;
  json["plan"] = plan_of(plan);
}

Json device_of(const enhance::DeviceReport& report) {
  const auto& counts = report.counts;
  const auto& memory = report.memory;
  return {{"name", report.name},
          {"tiles", counts.tiles},
          {"repeats", counts.repeats},
          {"smaller_tiles", counts.smaller},
          {"float32_instead", counts.wider},
          {"opened_anew", counts.reopened},
          {"left_to_cpu", counts.given_up},
          {"pool_allocated_bytes", memory.allocated.count()},
          {"pool_idle_bytes", memory.idle.count()},
          {"pool_peak_bytes", memory.peak.count()},
          {"pool_hits", memory.hits},
          {"pool_misses", memory.misses},
          {"peak_bytes",
           {{"weights", memory.weights.count()},
            {"activations", memory.activations.count()},
            {"staging", memory.staging.count()},
            {"parameters", memory.parameters.count()}}},
          {"driver_bytes", memory.driver.count()}};
}

std::string part_lines(const enhance::UpscalePlan& plan) {
  std::string text;
  for (const auto& part : plan.parts)
    text += fmt::format("    {:<16} {:>10}{}{}\n", part.name, to_text(part.ram),
                        part.disk == Bytes{} ? "" : "  disk " + to_text(part.disk),
                        part.device == Bytes{} ? "" : "  of the GPU " + to_text(part.device));
  return text;
}

}  // namespace

std::string shown(const std::filesystem::path& path) { return printable(path.native()); }

std::string failure_text(const tasks::PictureItem& item, const Error& error) {
  const std::string name = shown(item.source.path);
  const std::string what = one_line(error.what);
  return what.starts_with(name + ":") ? what : fmt::format("{}: {}", name, what);
}

std::string picture_json(const tasks::PictureItem& item, const tasks::PictureOutcome& outcome) {
  Json json{{"status", tasks::name_of(outcome.status)},
            {"input", item.source.path.native()},
            {"output", item.output.native()}};
  if (outcome.error)
    json["error"] = {{"code", outcome.fault ? "fault" : name_of(outcome.error->code)}, {"what", outcome.error->what}};
  if (outcome.picture) json["input_picture"] = picture_of(*outcome.picture);
  if (outcome.upscaler) json["network"] = network_of(outcome.upscaler->network());
  if (outcome.plan) add_plan(*outcome.plan, item.format, json);
  if (outcome.upscaler) {
    if (const auto report = outcome.upscaler->device_report()) json["device_use"] = device_of(*report);
  }
  if (outcome.status == tasks::ItemStatus::done) {
    json["output_bytes"] = outcome.file.size.count();
    json["kept"] = outcome.file.kept;
    json["lost"] = outcome.file.lost;
    json["events"] = outcome.events;
  }
  json["peak_bytes"] = outcome.peak.count();
  json["seconds"] = rounded(outcome.time.count(), 0.001);
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) + '\n';
}

std::string plan_text(const tasks::PictureItem& item, const tasks::PictureOutcome& outcome) {
  const enhance::UpscalePlan& plan = *outcome.plan;
  std::string text = fmt::format("{} -> {}\n", shown(item.source.path), shown(item.output));
  text +=
      fmt::format("  size      {}x{} -> {}x{}, {}{}\n", plan.input_width, plan.input_height, plan.output_width,
                  plan.output_height, media::name_of(item.format), plan.resized ? ", resized after the network" : "");
  text += fmt::format("  network   {} ({}, {}x{}), {}, {}\n", printable(outcome.upscaler->network().name),
                      outcome.upscaler->network().family.name, outcome.upscaler->network().family.scale,
                      plan.network_runs > 1 ? ", twice" : "", plan.precision, plan.instruction_set);
  if (plan.tile > 0) text += fmt::format("  device    {}, tiles of {} pixels\n", printable(plan.device), plan.tile);
  text += fmt::format("  work      bands of {} rows, strips of {} columns with a halo of {}, {} {}\n", plan.band_height,
                      plan.strip_width, plan.strip_halo, plan.passes, plan.passes == 1 ? "pass" : "passes");
  text += fmt::format("  memory    {}, disk {}{}\n{}", to_text(plan.ram), to_text(plan.disk),
                      plan.tile > 0 ? ", of the GPU " + to_text(plan.device_memory) : "", part_lines(plan));
  return text + fmt::format("  time      {} expected\n", observe::format_duration(plan.expected_time));
}

}  // namespace weir::cli
