#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace weir::cli {

/// The grade of a finding. Only `bad` makes `weir doctor` fail.
enum class Grade { good, note, bad };

/// One line of the report of `weir doctor`.
struct Finding {
  Grade grade = Grade::good;
  std::string subject;                  ///< what was checked, such as "upscale on the CPU" or "probe NVML"
  std::string text;                     ///< what was found
  std::string advice;                   ///< how to fix it, if possible as a shell command; may be empty
  nlohmann::ordered_json details = {};  ///< an object whose keys are added to the JSON line; null: nothing is added
};

/// Returns the report as text with two tables: the commands, and the other checks.
std::string to_text(const std::vector<Finding>& commands, const std::vector<Finding>& checks);
/// Returns the report as one JSON object per line: the commands, then the other checks.
std::string to_json_lines(const std::vector<Finding>& commands, const std::vector<Finding>& checks);

}  // namespace weir::cli
