#include "jobs/worker_messages.hpp"

#include <utility>

namespace weir::jobs {

Json to_json(const Estimate& estimate) {
  return {{"cost", estimate.cost},
          {"seconds", estimate.seconds},
          {"ram", estimate.ram.count()},
          {"device", estimate.device.count()},
          {"output", estimate.output.count()},
          {"size", estimate.input_size},
          {"compute_config", to_json(estimate.compute_config)}};
}

Estimate estimate_from_json(const Json& json) {
  return {.cost = number_field(json, "cost"),
          .seconds = number_field(json, "seconds"),
          .ram = bytes_field(json, "ram"),
          .device = bytes_field(json, "device"),
          .output = bytes_field(json, "output"),
          .input_size = text_field(json, "size"),
          .compute_config = compute_config_from_json(object_field(json, "compute_config"))};
}

std::vector<std::string> text_list_field(const Json& message, const char* key) {
  std::vector<std::string> texts;
  const auto list = message.find(key);
  if (list == message.end() || !list->is_array()) return texts;
  for (const Json& text : *list) {
    if (text.is_string()) texts.push_back(text.get<std::string>());
  }
  return texts;
}

ItemResult read_item_result(ItemResult result, const Json& message) {
  result.report = text_field(message, "report");
  result.notes = text_list_field(message, "notes");
  result.damage = text_field(message, "damaged");
  result.amount = number_field(message, "amount");
  result.seconds = number_field(message, "total_s");
  result.sync_s = number_field(message, "sync_s");
  const Json stages = object_field(message, "seconds");
  for (const auto& [stage, spent] : stages.items()) {
    if (spent.is_number()) result.stage_seconds[stage] = spent.get<double>();
  }
  if (!message.contains("error")) return result;
  result.error = error_from_json(message["error"]);
  result.internal_error = bool_field(message, "internal_error");
  return result;
}

}  // namespace weir::jobs
