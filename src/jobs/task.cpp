#include "jobs/task.hpp"

namespace weir::jobs {

std::string to_text(const ComputeConfig& config) {
  std::string text = config.backend;
  for (const std::string& part : {config.precision, config.driver, config.instruction_set}) {
    if (!part.empty()) text += (text.empty() ? "" : ", ") + part;
  }
  return text;
}

Json to_json(const ComputeConfig& config) {
  return {{"backend", config.backend},
          {"precision", config.precision},
          {"driver", config.driver},
          {"instruction_set", config.instruction_set}};
}

ComputeConfig compute_config_from_json(const Json& json) {
  return {text_field(json, "backend"), text_field(json, "precision"), text_field(json, "driver"),
          text_field(json, "instruction_set")};
}

FailureKind kind_of(Errc code) {
  switch (code) {
    case Errc::device_lost:
    case Errc::over_budget:
    case Errc::timed_out:
      return FailureKind::transient;
    case Errc::corrupt:
    case Errc::unsupported:
    case Errc::bad_values:
    case Errc::invalid_argument:
    case Errc::failed:
      return FailureKind::persistent;
    case Errc::disk_full:
      return FailureKind::disk_full;
    case Errc::io:
    case Errc::exists:
    case Errc::cancelled:
      break;
  }
  return FailureKind::environment;
}

}  // namespace weir::jobs
