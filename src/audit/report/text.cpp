#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "audit/report/line_findings.hpp"
#include "audit/report/report.hpp"
#include "audit/rules/checks.hpp"
#include "audit/rules/rule.hpp"
#include "base/text.hpp"

// The text for a terminal, and the statistics.

namespace weir::audit {
namespace {

/// Returns the option that fixes the finding, as the report shows it.
std::string_view fix_mark(const Finding& finding) {
  switch (finding.fixability) {
    case Fixability::safe:
      return "  [--fix]";
    case Fixability::unsafe:
      return "  [--fix --unsafe]";
    case Fixability::manual:
      break;
  }
  return "  [by hand]";
}

std::string finding_text(const LineFindings& group, const std::vector<Finding>& findings) {
  const Finding& finding = findings[group.primary];
  const SourceFile& source = finding.module->source;
  const TextPosition place = source.position(finding.range.begin);
  return fmt::format("{}:{}:{}: {} {} {}{}\n    {}\n    do: {}{}\n", printable(source.name()), place.line, place.column,
                     name_of(finding.severity), finding.rule, printable(finding.message),
                     other_rules_text(group, findings), code_text(*finding.module, finding.range), finding.advice,
                     fix_mark(finding));
}

}  // namespace

std::string text_report(const AuditResult& audit) {
  std::string text;
  for (const LineFindings& group : group_by_line(audit.findings)) text += finding_text(group, audit.findings);
  return text;
}

std::string statistics_report(const AuditResult& audit) {
  std::map<std::string_view, std::size_t> by_rule;
  std::map<std::string_view, std::size_t> by_file;
  std::size_t suppressed = 0;
  for (const Finding& finding : audit.findings) {
    suppressed += finding.suppressed ? 1 : 0;
    if (!finding.suppressed) ++by_rule[finding.rule];
  }
  const auto groups = group_by_line(audit.findings);
  for (const LineFindings& group : groups) ++by_file[audit.findings[group.primary].module->source.name()];
  std::string text;
  for (const auto& [rule, count] : by_rule)
    text += fmt::format("{:>5}  {} {} ({})\n", count, rule, find_rule(rule)->title, name_of(find_rule(rule)->severity));
  std::vector<std::pair<std::size_t, std::string_view>> files;
  files.reserve(by_file.size());
  for (const auto& [name, count] : by_file) files.emplace_back(count, name);
  std::sort(files.begin(), files.end(),
            [](const auto& a, const auto& b) { return a.first != b.first ? a.first > b.first : a.second < b.second; });
  if (!files.empty()) text += "\n";
  for (std::size_t i = 0; i < files.size() && i < 10; ++i)
    text += fmt::format("{:>5}  {}\n", files[i].first, printable(files[i].second));
  return text + fmt::format("\n{} files, {} findings in {}, {} suppressed, {} files not audited completely\n",
                            audit.file_count, groups.size(), by_file.size(), suppressed, audit.problems.size());
}

}  // namespace weir::audit
