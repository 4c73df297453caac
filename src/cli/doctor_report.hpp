#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace weir::cli {

enum class Grade { good, note, bad };

/// One line of the doctor's report. Only a bad one makes the doctor fail.
struct Finding {
  Grade grade = Grade::good;
  std::string subject, text, advice;    ///< mend: what helps, a command where there is one; may be empty
  nlohmann::ordered_json details = {};  ///< an object whose keys go into the JSON line too; null: none
};

/// A table of two parts: which commands work, and what was looked at.
std::string to_text(const std::vector<Finding>& commands, const std::vector<Finding>& checks);
/// One JSON object a line, in the same order.
std::string to_json_lines(const std::vector<Finding>& commands, const std::vector<Finding>& checks);

}  // namespace weir::cli
