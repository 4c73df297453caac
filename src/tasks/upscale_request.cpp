// Conversion of UpscaleRequest (tasks/upscale_kind.hpp) to JSON and back, and of pictures to items and back.

#include <algorithm>

#include "base/atomic_file.hpp"
#include "base/file_facts.hpp"
#include "base/memory_file.hpp"
#include "tasks/upscale_kind.hpp"

namespace weir::tasks {
namespace {

using jobs::Json;

std::string_view precision_text(enhance::Precision precision) {
  return precision == enhance::Precision::exact ? "exact" : "auto";
}

/// Returns the settings on which the pixels of the result depend.
Json result_settings_json(const enhance::UpscaleSettings& upscale) {
  return {{"scale", upscale.scale},
          {"width", upscale.width},
          {"height", upscale.height},
          {"precision", precision_text(upscale.precision)},
          {"tta", upscale.tta}};
}

/// Reads the fields of result_settings_json().
void read_result_settings(const Json& json, enhance::UpscaleSettings& upscale) {
  upscale.scale = jobs::number_field(json, "scale");
  upscale.width = static_cast<int>(jobs::number_field(json, "width"));
  upscale.height = static_cast<int>(jobs::number_field(json, "height"));
  upscale.precision =
      jobs::text_field(json, "precision") == "exact" ? enhance::Precision::exact : enhance::Precision::automatic;
  upscale.tta = jobs::bool_field(json, "tta");
}

}  // namespace

Json to_json(const UpscaleRequest& request) {
  Json json = result_settings_json(request.upscale);
  json["model"] = jobs::encode_path(request.network_options.model);
  json["name"] = jobs::encode_path(request.network_options.name);
  if (request.network_options.noise) json["noise"] = *request.network_options.noise;
  json["folders"] = jobs::encode_texts(request.network_options.folders);
  json["variants"] = jobs::encode_texts(request.variants);
  json["quality"] = request.quality;
  json["refuse_damaged"] = request.damaged == media::DamagePolicy::refuse;
  json["tile"] = request.upscale.device_settings.tile;
  json["strict_device"] = request.upscale.device_settings.strict;
  json["max_commands"] = request.upscale.device_settings.max_commands;
  json["max_idle"] = request.upscale.device_settings.max_idle;
  json["spill_folder"] = jobs::encode_path(request.upscale.spill_folder);
  json["spill_limit"] = request.upscale.spill_limit.count();
  json["standard_input_fd"] = request.standard_input_fd;
  return json;
}

Result<UpscaleRequest> parse_upscale_request(const Json& json) {
  UpscaleRequest request;
  read_result_settings(json, request.upscale);
  request.network_options.model = jobs::decode_path(jobs::text_field(json, "model"));
  request.network_options.name = jobs::decode_path(jobs::text_field(json, "name")).native();
  if (json.contains("noise")) request.network_options.noise = static_cast<int>(jobs::number_field(json, "noise"));
  for (std::string& folder : jobs::encoded_texts_field(json, "folders"))
    request.network_options.folders.emplace_back(std::move(folder));
  request.variants = jobs::encoded_texts_field(json, "variants");
  request.quality = static_cast<int>(jobs::number_field(json, "quality"));
  request.damaged = jobs::bool_field(json, "refuse_damaged") ? media::DamagePolicy::refuse : media::DamagePolicy::use;
  request.upscale.device_settings.tile = static_cast<int>(jobs::number_field(json, "tile"));
  request.upscale.device_settings.strict = jobs::bool_field(json, "strict_device");
  request.upscale.device_settings.max_commands = static_cast<int>(jobs::number_field(json, "max_commands"));
  request.upscale.device_settings.max_idle = static_cast<int>(jobs::number_field(json, "max_idle"));
  request.upscale.spill_folder = jobs::decode_path(jobs::text_field(json, "spill_folder"));
  request.upscale.spill_limit = jobs::bytes_field(json, "spill_limit");
  request.standard_input_fd = jobs::descriptor_field(json, "standard_input_fd");
  if (request.standard_input_fd < 0) return request;
  auto bytes = read_from_start(request.standard_input_fd);
  if (!bytes) return Error{Errc::io, "standard input cannot be read: " + bytes.error().what};
  request.standard_input = std::make_shared<const std::vector<std::byte>>(*std::move(bytes));
  return request;
}

jobs::Item make_upscale_item(const PictureItem& picture, const UpscaleRequest& request) {
  Json parameters = result_settings_json(request.upscale);
  parameters["format"] = media::name_of(picture.format);
  parameters["quality"] = request.quality;
  jobs::Item item;
  item.task = kUpscaleKind;
  if (picture.source.bytes) {
    const auto& bytes = *picture.source.bytes;
    parameters["standard_input"] = hash_text({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  } else {
    item.inputs = {picture.source.path};
  }
  item.outputs = {picture.output};
  item.parameters = jobs::dump(parameters);
  item.problem = picture.problem;
  return item;
}

PictureItem picture_from_item(const jobs::Item& item, const UpscaleRequest& request) {
  PictureItem picture;
  const auto parameters = jobs::parse_object(item.parameters);
  if (parameters)
    picture.format = media::format_of_extension(jobs::text_field(*parameters, "format")).value_or(media::Format::png);
  picture.source.path = item.inputs.empty() ? "-" : item.inputs.front();
  if (item.inputs.empty()) picture.source.bytes = request.standard_input;
  picture.output = item.outputs.front();
  picture.problem = item.problem;
  return picture;
}

}  // namespace weir::tasks
