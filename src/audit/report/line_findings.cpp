#include "audit/report/line_findings.hpp"

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

namespace weir::audit {

std::vector<LineFindings> group_by_line(const std::vector<Finding>& findings) {
  std::map<std::pair<const Module*, std::uint32_t>, std::vector<std::size_t>> lines;
  for (std::size_t i = 0; i < findings.size(); ++i) {
    const Finding& finding = findings[i];
    if (finding.suppressed) continue;
    lines[{finding.module, finding.module->source.position(finding.range.begin).line}].push_back(i);
  }
  std::vector<LineFindings> all;
  all.reserve(lines.size());
  for (auto& [place, indices] : lines) {
    std::stable_sort(indices.begin(), indices.end(), [&](std::size_t a, std::size_t b) {
      return std::tie(findings[a].severity, findings[a].rule) < std::tie(findings[b].severity, findings[b].rule);
    });
    all.push_back({indices.front(), {indices.begin() + 1, indices.end()}});
  }
  const auto first_index = [&](const LineFindings& group) {
    std::size_t least = group.primary;
    for (const std::size_t other : group.others) least = std::min(least, other);
    return least;
  };
  std::sort(all.begin(), all.end(),
            [&](const LineFindings& a, const LineFindings& b) { return first_index(a) < first_index(b); });
  return all;
}

std::string other_rules_text(const LineFindings& group, const std::vector<Finding>& findings) {
  std::string text;
  for (const std::size_t other : group.others) {
    const std::string_view rule = findings[other].rule;
    // The text contains each rule once, and never the rule of the primary finding, which the report shows already.
    if (rule == findings[group.primary].rule || text.find(rule) != std::string::npos) continue;
    text += (text.empty() ? "; also " : ", ") + std::string{rule};
  }
  return text;
}

}  // namespace weir::audit
