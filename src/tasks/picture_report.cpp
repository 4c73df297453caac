#include "tasks/picture_report.hpp"

#include <cmath>

#include <nlohmann/json.hpp>

#include "nn/network_names.hpp"

namespace weir::tasks {
namespace {

using OrderedJson = nlohmann::ordered_json;

double rounded(double value, double step) { return std::round(value / step) * step; }

OrderedJson picture_of(const media::PictureInfo& info) {
  return {{"width", info.width}, {"height", info.height}, {"colours", info.colours},
          {"alpha", info.alpha}, {"bits", info.bits},     {"format", media::name_of(info.format)}};
}

OrderedJson network_of(const nn::Network& network) {
  OrderedJson json{{"name", network.name}, {"family", network.family.name}, {"scale", network.family.scale}};
  if (const auto noise = nn::noise_of(network.name)) json["noise"] = *noise;
  json["path"] = network.param.native();
  return json;
}

OrderedJson plan_of(const enhance::UpscalePlan& plan) {
  OrderedJson parts = OrderedJson::array();
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

void add_plan(const enhance::UpscalePlan& plan, media::Format format, OrderedJson& json) {
  json["output_picture"] = {
      {"width", plan.output_width}, {"height", plan.output_height}, {"format", media::name_of(format)}};
  json["precision"] = plan.precision;
  json["instruction_set"] = plan.instruction_set;
  json["device"] = plan.device;
  json["plan"] = plan_of(plan);
}

OrderedJson device_of(const enhance::DeviceReport& report) {
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

}  // namespace

std::string damage_text(const PictureOutcome& outcome) {
  std::string text;
  for (const std::string& each : outcome.damage) text += (text.empty() ? "" : "; ") + each;
  return text;
}

std::string lost_text(const std::vector<std::string>& lost) {
  std::string text;
  for (const std::string& entry : lost) text += (text.empty() ? "lost " : "; ") + entry;
  return text;
}

std::string lost_kind(std::string_view entry) {
  entry = entry.substr(0, entry.find(" ("));
  for (const std::string_view kind : {"text", "chunk", "segment", "extension", "box", "item", "tag"})
    if (entry.starts_with(kind) && entry.substr(kind.size()).starts_with(' ')) return std::string{kind};
  return std::string{entry};
}

std::string picture_json(const PictureItem& item, const PictureOutcome& outcome) {
  OrderedJson json{
      {"status", name_of(outcome.status)}, {"input", item.source.path.native()}, {"output", item.output.native()}};
  if (outcome.error)
    json["error"] = {{"code", outcome.fault ? "fault" : weir::name_of(outcome.error->code)},
                     {"what", outcome.error->what}};
  if (!outcome.damage.empty()) json["damaged"] = damage_text(outcome);
  if (outcome.picture) json["input_picture"] = picture_of(*outcome.picture);
  if (outcome.upscaler) json["network"] = network_of(outcome.upscaler->network());
  if (outcome.plan) add_plan(*outcome.plan, item.format, json);
  if (outcome.upscaler) {
    if (const auto report = outcome.upscaler->device_report()) json["device_use"] = device_of(*report);
  }
  if (outcome.status == ItemStatus::done) {
    json["output_bytes"] = outcome.file.size.count();
    json["kept"] = outcome.file.kept;
    json["lost"] = outcome.file.lost;
    json["events"] = outcome.events;
  }
  json["peak_bytes"] = outcome.peak.count();
  json["seconds"] = rounded(outcome.time.count(), 0.001);
  return json.dump(-1, ' ', false, OrderedJson::error_handler_t::replace) + '\n';
}

}  // namespace weir::tasks
