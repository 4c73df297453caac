#include <array>
#include <map>
#include <utility>

#include <fmt/format.h>

#include "audit/report/line_findings.hpp"
#include "audit/report/report.hpp"
#include "audit/rules/checks.hpp"
#include "audit/rules/rule.hpp"
#include "base/text.hpp"

// The formats with one entry per line of code that has findings: GitHub's workflow commands, JUnit, Markdown.

namespace weir::audit {
namespace {

/// Escapes a message, or a property such as the file name, for workflow commands (docs.github.com, "Workflow commands
/// for GitHub Actions").
std::string command_text(std::string_view text, bool property) {
  std::string out;
  for (const char c : text) {
    if (c == '%')
      out += "%25";
    else if (c == '\r')
      out += "%0D";
    else if (c == '\n')
      out += "%0A";
    else if (property && c == ':')
      out += "%3A";
    else if (property && c == ',')
      out += "%2C";
    else
      out += c;
  }
  return out;
}

std::string markdown_text(std::string_view text) {
  std::string out;
  for (const char c : printable(text)) {
    if (c == '|' || c == '<' || c == '*' || c == '_' || c == '`') out += '\\';
    out += c;
  }
  return out;
}

/// Returns the findings that are not suppressed, by file name. Files without such findings have an empty list.
std::map<std::string_view, std::vector<LineFindings>> by_file(const AuditResult& audit) {
  std::map<std::string_view, std::vector<LineFindings>> files;
  for (const Module& module : audit.project->modules()) files[module.source.name()];
  for (LineFindings& group : group_by_line(audit.findings))
    files[audit.findings[group.primary].module->source.name()].push_back(std::move(group));
  return files;
}

}  // namespace

std::string github_report(const AuditResult& audit) {
  std::string text;
  for (const LineFindings& group : group_by_line(audit.findings)) {
    const Finding& finding = audit.findings[group.primary];
    const SourceFile& source = finding.module->source;
    const TextPosition begin = source.position(finding.range.begin);
    const TextPosition end = source.position(finding.range.end);
    const std::string_view command = finding.severity == Severity::style     ? "notice"
                                     : finding.severity == Severity::fragile ? "warning"
                                                                             : "error";
    text += fmt::format(
        "::{} file={},line={},col={},endLine={},title={}::{}\n", command,
        command_text(source.name(), /*property=*/true), begin.line, begin.column, end.line, finding.rule,
        command_text(printable(finding.message) + "; do: " + finding.advice + other_rules_text(group, audit.findings),
                     /*property=*/false));
  }
  return text;
}

std::string junit_report(const AuditResult& audit) {
  const auto files = by_file(audit);
  std::string cases;
  std::size_t failed = 0;
  for (const auto& [name, findings] : files) {
    cases += fmt::format("  <testcase classname=\"weir.audit\" name=\"{}\"", escape_markup(printable(name)));
    if (findings.empty()) {
      cases += "/>\n";
      continue;
    }
    ++failed;
    cases +=
        fmt::format(">\n    <failure message=\"{} finding{}\">\n", findings.size(), findings.size() == 1 ? "" : "s");
    for (const LineFindings& group : findings) {
      const Finding& finding = audit.findings[group.primary];
      const TextPosition place = finding.module->source.position(finding.range.begin);
      cases += fmt::format("{}:{} {} {} {}{}\n", place.line, place.column, name_of(finding.severity), finding.rule,
                           escape_markup(printable(finding.message)), other_rules_text(group, audit.findings));
    }
    cases += "    </failure>\n  </testcase>\n";
  }
  return fmt::format(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuite name=\"weir audit\" tests=\"{}\" "
      "failures=\"{}\">\n{}</testsuite>\n",
      files.size(), failed, cases);
}

std::string markdown_report(const AuditResult& audit) {
  std::string text = "# weir audit\n\n| place | rule | severity | what | do |\n|---|---|---|---|---|\n";
  std::size_t count = 0;
  for (const LineFindings& group : group_by_line(audit.findings)) {
    const Finding& finding = audit.findings[group.primary];
    ++count;
    const TextPosition place = finding.module->source.position(finding.range.begin);
    text += fmt::format("| {}:{} | {} | {} | {} | {} |\n", markdown_text(finding.module->source.name()), place.line,
                        finding.rule, name_of(finding.severity),
                        markdown_text(finding.message + other_rules_text(group, audit.findings)),
                        markdown_text(finding.advice));
  }
  text += fmt::format("\n{} findings in {} files.\n", count, audit.file_count);
  for (const std::string& problem : audit.problems)
    text += fmt::format("- not audited completely: {}\n", markdown_text(problem));
  return text;
}

Reporter find_reporter(std::string_view format) {
  struct Named {
    std::string_view name;
    Reporter reporter;
  };
  constexpr std::array kReporters{Named{"text", text_report},   Named{"json", json_report},
                                  Named{"sarif", sarif_report}, Named{"github", github_report},
                                  Named{"junit", junit_report}, Named{"md", markdown_report}};
  for (const Named& named : kReporters) {
    if (named.name == format) return named.reporter;
  }
  return nullptr;
}

}  // namespace weir::audit
