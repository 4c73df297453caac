#include "jobs/worker_messages.hpp"

#include <utility>

namespace weir::jobs {

Json to_json(const Estimate& estimate) {
  return {{"cost", estimate.cost},
          {"seconds", estimate.seconds},
          {"ram", estimate.ram.count()},
          {"device", estimate.device.count()},
          {"output", estimate.output.count()},
          {"size", estimate.size},
          {"pixels", to_json(estimate.pixels)}};
}

Estimate estimate_of(const Json& json) {
  return {.cost = number_field(json, "cost"),
          .seconds = number_field(json, "seconds"),
          .ram = bytes_field(json, "ram"),
          .device = bytes_field(json, "device"),
          .output = bytes_field(json, "output"),
          .size = text_field(json, "size"),
          .pixels = pixels_of(object_field(json, "pixels"))};
}

std::vector<std::string> texts_of(const Json& message, const char* key) {
  std::vector<std::string> texts;
  const auto list = message.find(key);
  if (list == message.end() || !list->is_array()) return texts;
  for (const Json& text : *list) {
    if (text.is_string()) texts.push_back(text.get<std::string>());
  }
  return texts;
}

ItemEnd read_end(ItemEnd end, const Json& message) {
  end.report = text_field(message, "report");
  end.notes = texts_of(message, "notes");
  end.damaged = text_field(message, "damaged");
  end.amount = number_field(message, "amount");
  end.seconds = number_field(message, "total_s");
  end.sync_s = number_field(message, "sync_s");
  if (!message.contains("error")) return end;
  end.error = error_of(message["error"]);
  end.fault = bool_field(message, "fault");
  return end;
}

}  // namespace weir::jobs
