#include "tasks/picture_report.hpp"

#include <cmath>

#include <nlohmann/json.hpp>

#include "nn/network_names.hpp"

namespace weir::tasks {
namespace {

using OrderedJson = nlohmann::ordered_json;

/// Rounds to a multiple of `step`.
double rounded(double value, double step) { return std::round(value / step) * step; }

OrderedJson picture_info_json(const media::PictureInfo& info) {
  return {{"width", info.width}, {"height", info.height}, {"colours", info.colours},
          {"alpha", info.alpha}, {"bits", info.bits},     {"format", media::name_of(info.format)}};
}

OrderedJson network_json(const nn::Network& network) {
  OrderedJson json{{"name", network.name}, {"family", network.family.name}, {"scale", network.family.scale}};
  if (const auto noise = nn::parse_noise_level(network.name)) json["noise"] = *noise;
  json["path"] = network.param_path.native();
  return json;
}

OrderedJson plan_json(const enhance::UpscalePlan& plan) {
  OrderedJson parts = OrderedJson::array();
  for (const auto& part : plan.parts)
    parts.push_back({{"name", part.name},
                     {"ram_bytes", part.ram.count()},
                     {"disk_bytes", part.disk.count()},
                     {"device_bytes", part.device_memory.count()}});
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
  json["device"] = plan.device_name;
  json["plan"] = plan_json(plan);
}

OrderedJson device_report_json(const enhance::DeviceReport& report) {
  const auto& counts = report.counts;
  const auto& memory = report.memory;
  return {{"name", report.name},
          {"attempts", counts.attempts},
          {"retries", counts.retries},
          {"smaller_tile_retries", counts.smaller_tile_retries},
          {"float32_retries", counts.float32_retries},
          {"reopened", counts.reopened},
          {"cpu_fallbacks", counts.cpu_fallbacks},
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
          {"driver_bytes", memory.driver_reported.count()}};
}

}  // namespace

std::string damage_text(const PictureResult& result) {
  std::string text;
  for (const std::string& each : result.damage) text += (text.empty() ? "" : "; ") + each;
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

std::string picture_json(const PictureItem& item, const PictureResult& result) {
  OrderedJson json{
      {"status", name_of(result.status)}, {"input", item.source.path.native()}, {"output", item.output.native()}};
  if (result.error)
    json["error"] = {{"code", result.internal_error ? "fault" : weir::name_of(result.error->code)},
                     {"what", result.error->what}};
  if (!result.damage.empty()) json["damaged"] = damage_text(result);
  if (result.input_info) json["input_picture"] = picture_info_json(*result.input_info);
  if (result.upscaler) json["network"] = network_json(result.upscaler->network());
  if (result.plan) add_plan(*result.plan, item.format, json);
  if (result.upscaler) {
    if (const auto report = result.upscaler->device_report()) json["device_use"] = device_report_json(*report);
  }
  if (result.status == ItemStatus::done) {
    json["output_bytes"] = result.write_report.size.count();
    json["kept"] = result.write_report.kept;
    json["lost"] = result.write_report.lost;
    json["events"] = result.events;
  }
  json["peak_bytes"] = result.peak_ram.count();
  json["seconds"] = rounded(result.total_time.count(), 0.001);
  return json.dump(-1, ' ', false, OrderedJson::error_handler_t::replace) + '\n';
}

}  // namespace weir::tasks
