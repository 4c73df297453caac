#include <algorithm>

#include "base/atomic_file.hpp"
#include "base/file_facts.hpp"
#include "base/memory_file.hpp"
#include "tasks/upscale_kind.hpp"

namespace weir::tasks {
namespace {

using jobs::Json;

std::string_view word_of(enhance::Precision precision) {
  return precision == enhance::Precision::exact ? "exact" : "auto";
}

/// What decides the pixels.
Json wanted_json(const enhance::UpscaleSettings& upscale) {
  return {{"scale", upscale.scale},
          {"width", upscale.width},
          {"height", upscale.height},
          {"precision", word_of(upscale.precision)},
          {"tta", upscale.tta}};
}

void read_wanted(const Json& json, enhance::UpscaleSettings& upscale) {
  upscale.scale = jobs::number_field(json, "scale");
  upscale.width = static_cast<int>(jobs::number_field(json, "width"));
  upscale.height = static_cast<int>(jobs::number_field(json, "height"));
  upscale.precision =
      jobs::text_field(json, "precision") == "exact" ? enhance::Precision::exact : enhance::Precision::automatic;
  upscale.tta = jobs::bool_field(json, "tta");
}

}  // namespace

Json to_json(const UpscaleRequest& request) {
  Json json = wanted_json(request.upscale);
  json["model"] = jobs::encode_path(request.network.model);
  json["name"] = jobs::encode_path(request.network.name);
  if (request.network.noise) json["noise"] = *request.network.noise;
  json["folders"] = jobs::texts_json(request.network.folders);
  json["variants"] = jobs::texts_json(request.variants);
  json["quality"] = request.quality;
  json["refuse_damaged"] = request.damaged == media::Damaged::refuse;
  json["tile"] = request.upscale.device.tile;
  json["strict_device"] = request.upscale.device.strict;
  json["max_commands"] = request.upscale.device.max_commands;
  json["max_idle"] = request.upscale.device.max_idle;
  json["spill_folder"] = jobs::encode_path(request.upscale.spill_folder);
  json["spill_limit"] = request.upscale.spill_limit.count();
  json["standard_input_fd"] = request.standard_input_fd;
  return json;
}

Result<UpscaleRequest> upscale_request_of(const Json& json) {
  UpscaleRequest request;
  read_wanted(json, request.upscale);
  request.network.model = jobs::decode_path(jobs::text_field(json, "model"));
  request.network.name = jobs::decode_path(jobs::text_field(json, "name")).native();
  if (json.contains("noise")) request.network.noise = static_cast<int>(jobs::number_field(json, "noise"));
  for (std::string& folder : jobs::texts_field(json, "folders"))
    request.network.folders.emplace_back(std::move(folder));
  request.variants = jobs::texts_field(json, "variants");
  request.quality = static_cast<int>(jobs::number_field(json, "quality"));
  request.damaged = jobs::bool_field(json, "refuse_damaged") ? media::Damaged::refuse : media::Damaged::use;
  request.upscale.device.tile = static_cast<int>(jobs::number_field(json, "tile"));
  request.upscale.device.strict = jobs::bool_field(json, "strict_device");
  request.upscale.device.max_commands = static_cast<int>(jobs::number_field(json, "max_commands"));
  request.upscale.device.max_idle = static_cast<int>(jobs::number_field(json, "max_idle"));
  request.upscale.spill_folder = jobs::decode_path(jobs::text_field(json, "spill_folder"));
  request.upscale.spill_limit = jobs::bytes_field(json, "spill_limit");
  request.standard_input_fd = static_cast<int>(jobs::number_field(json, "standard_input_fd"));
  if (request.standard_input_fd < 0) return request;
  auto bytes = read_from_start(request.standard_input_fd);
  if (!bytes) return Error{Errc::io, "standard input cannot be read: " + bytes.error().what};
  request.standard_input = std::make_shared<const std::vector<std::byte>>(*std::move(bytes));
  return request;
}

jobs::Item upscale_item(const PictureItem& picture, const UpscaleRequest& request) {
  Json parameters = wanted_json(request.upscale);
  parameters["format"] = media::name_of(picture.format);
  parameters["quality"] = request.quality;
  jobs::Item item;
  item.task = kUpscale;
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

PictureItem picture_of(const jobs::Item& item, const UpscaleRequest& request) {
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
