// `weir models`: lists the networks that are found.

#include <algorithm>
#include <optional>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/text.hpp"
#include "cli/command.hpp"
#include "cli/model_folders.hpp"
#include "enhance/picture_upscaler.hpp"
#include "nn/catalogue.hpp"

namespace weir::cli {
namespace {

using Json = nlohmann::ordered_json;

/// Returns the memory of the whole process for a picture of one megapixel in 32-bit floating point (the fast kernels
/// need less). Errors: the network cannot be read completely, or cannot be planned.
Result<Bytes> memory_per_megapixel(const nn::CatalogueEntry& entry) {
  auto network = nn::load_network(entry.param_path);
  if (!network) return network.error();
  enhance::UpscaleSettings settings;
  settings.precision = enhance::Precision::exact;
  auto upscaler = enhance::PictureUpscaler::create(std::make_shared<const nn::Network>(*std::move(network)), settings);
  if (!upscaler) return upscaler.error();
  const media::PictureInfo picture{.width = 1000, .height = 1000};
  media::WriteOptions output;
  output.row_format = enhance::rows_info((*upscaler)->network(), picture, settings);
  output.final_width = output.row_format.width;
  output.final_height = output.row_format.height;
  const auto plan = (*upscaler)->plan(picture, {}, output);
  if (!plan) return plan.error();
  return plan->ram;
}

/// A network of the catalogue, and its memory.
struct ListedModel {
  nn::CatalogueEntry entry;
  Bytes memory;  ///< memory_per_megapixel(); 0 if entry.unreadable_reason is set
};

/// Computes the memory of a readable network; if that fails, sets entry.unreadable_reason.
ListedModel list_model(nn::CatalogueEntry entry) {
  if (!entry.unreadable_reason.empty()) return {std::move(entry), {}};
  auto memory = memory_per_megapixel(entry);
  if (!memory) entry.unreadable_reason = memory.error().what;
  return {std::move(entry), memory ? *memory : Bytes{}};
}

std::string model_json(const ListedModel& listed) {
  const nn::CatalogueEntry& entry = listed.entry;
  Json json{{"name", entry.name}, {"folder", entry.folder}, {"path", entry.param_path.native()}};
  if (entry.noise) json["noise"] = *entry.noise;
  if (!entry.unreadable_reason.empty()) {
    json["unreadable"] = entry.unreadable_reason;
    if (entry.scale_in_name) json["scale_in_name"] = *entry.scale_in_name;
  } else {
    json["family"] = entry.family.name;
    json["scale"] = entry.family.scale;
    json["statistics"] = entry.family.mean_count;
    json["layers"] = entry.layers;
    json["parameters"] = entry.parameters;
    json["multiplications_per_pixel"] = entry.multiplications_per_pixel;
    json["memory_per_megapixel_bytes"] = listed.memory.count();
  }
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) + '\n';
}

std::string name_in_folder(const nn::CatalogueEntry& entry) {
  return printable(entry.folder.empty() ? entry.name : entry.folder + "/" + entry.name);
}

std::string table_line(const ListedModel& listed, std::size_t width) {
  const nn::CatalogueEntry& entry = listed.entry;
  if (!entry.unreadable_reason.empty())
    return fmt::format("{:<{}}  unreadable: {}\n", name_in_folder(entry), width, printable(entry.unreadable_reason));
  return fmt::format("{:<{}}  {:<11} {:>5} {:>5} {:>7} {:>11} {:>12.0f} {:>10}\n", name_in_folder(entry), width,
                     entry.family.name, fmt::format("{}x", entry.family.scale),
                     entry.noise ? fmt::format("{}", *entry.noise) : "-", entry.layers, entry.parameters,
                     entry.multiplications_per_pixel, to_text(listed.memory));
}

std::string model_table(const std::vector<nn::CatalogueEntry>& entries) {
  std::size_t width = std::string_view{"NAME"}.size();  // of the first column
  for (const auto& entry : entries) width = std::max(width, name_in_folder(entry).size());
  std::string text = fmt::format("{:<{}}  {:<11} {:>5} {:>5} {:>7} {:>11} {:>12} {:>10}\n", "NAME", width, "FAMILY",
                                 "SCALE", "NOISE", "LAYERS", "PARAMETERS", "MULT/PIXEL", "MEMORY/MP");
  for (const auto& entry : entries) text += table_line(list_model(entry), width);
  return text;
}

std::string none_found(const std::optional<std::filesystem::path>& model,
                       const std::vector<std::filesystem::path>& folders) {
  std::string places;
  for (const auto& folder : folders) places += (places.empty() ? "" : ", ") + printable(folder.native());
  return fmt::format("no network in {}; a network is a file X.param with X.bin beside it",
                     model ? printable(model->native()) : places);
}

}  // namespace

ExitResult run_models(const Invocation& invocation) {
  const Arguments& args = invocation.args();
  const auto& operands = args.operands;
  if (operands.size() > 1 || (!operands.empty() && invocation.command_line.has_flag("--model")))
    return {ExitStatus::wrong_usage, "one folder or network at a time; see 'weir help models'"};
  const std::filesystem::path given_path{operands.empty() ? args.model : operands.front()};
  const auto model = given_path.empty() ? std::nullopt : std::optional{given_path};
  const auto folders = model_search_folders(args, invocation.environment);
  const auto entries = nn::find_networks(model, folders);
  if (!entries) return {ExitStatus::wrong_usage, entries.error().what};
  if (entries->empty()) return {ExitStatus::wrong_usage, none_found(model, folders)};
  if (!args.json) return print(model_table(*entries));
  std::string text;
  for (const auto& entry : *entries) text += model_json(list_model(entry));
  return print(text);
}

}  // namespace weir::cli
