#include "cli/item_json.hpp"

namespace weir::cli {

nlohmann::ordered_json item_json(const jobs::Item& item, const jobs::ItemResult& result) {
  nlohmann::ordered_json json =
      nlohmann::ordered_json::parse(result.report.empty() ? "{}" : result.report, nullptr, false);
  if (!json.is_object()) json = nlohmann::ordered_json::object();
  nlohmann::ordered_json item_fields{{"status", jobs::name_of(result.status)},
                                     {"input", item.inputs.empty() ? "-" : item.inputs.front().native()},
                                     {"output", item.outputs.front().native()}};
  if (!result.why.empty()) item_fields["why"] = result.why;
  if (result.redone) item_fields["redone"] = true;
  if (!result.damage.empty()) item_fields["damaged"] = result.damage;
  if (!result.variant.empty()) item_fields["variant"] = result.variant;
  if (!result.device.empty()) item_fields["device"] = result.device;
  if (result.error)
    item_fields["error"] = {{"code", result.internal_error ? "fault" : weir::name_of(result.error->code)},
                            {"what", result.error->what}};
  for (const auto& [key, value] : json.items()) {
    if (!item_fields.contains(key)) item_fields[key] = value;
  }
  return item_fields;
}

}  // namespace weir::cli
