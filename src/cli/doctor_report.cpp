#include "cli/doctor_report.hpp"

#include <string_view>

#include <fmt/format.h>

#include "cli/table.hpp"

namespace weir::cli {
namespace {

using Json = nlohmann::ordered_json;

std::string_view name_of(Grade grade) { return grade == Grade::good ? "ok" : grade == Grade::note ? "note" : "BAD"; }

std::string table(const std::vector<Finding>& findings) {
  std::vector<std::vector<std::string>> rows;
  rows.reserve(findings.size());
  for (const Finding& finding : findings)
    rows.push_back({std::string{name_of(finding.grade)}, finding.subject,
                    finding.advice.empty() ? finding.text : fmt::format("{} -> {}", finding.text, finding.advice)});
  return align_columns(rows);
}

std::string json_line(const Finding& finding) {
  Json json{{"grade", finding.grade == Grade::bad ? "bad" : name_of(finding.grade)},
            {"subject", finding.subject},
            {"text", finding.text},
            {"advice", finding.advice}};
  if (finding.details.is_object()) json.update(finding.details);
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) + '\n';
}

}  // namespace

std::string to_text(const std::vector<Finding>& commands, const std::vector<Finding>& checks) {
  return fmt::format("What works here:\n{}\nOther checks:\n{}", table(commands), table(checks));
}

std::string to_json_lines(const std::vector<Finding>& commands, const std::vector<Finding>& checks) {
  std::string text;
  for (const Finding& finding : commands) text += json_line(finding);
  for (const Finding& finding : checks) text += json_line(finding);
  return text;
}

}  // namespace weir::cli
