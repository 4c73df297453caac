#include <nlohmann/json.hpp>

#include "audit/fix/file_edits.hpp"
#include "audit/report/line_findings.hpp"
#include "audit/report/report.hpp"
#include "audit/rules/checks.hpp"
#include "audit/rules/rule.hpp"
#include "base/version.hpp"

// The reports in JSON: our own format and SARIF.

namespace weir::audit {
namespace {

using Json = nlohmann::ordered_json;

std::string dumped(const Json& json) { return json.dump(1, ' ', false, Json::error_handler_t::replace) + '\n'; }

Json edits_json(const Finding& finding) {
  Json edits = Json::array();
  for (const Edit& edit : to_file_edits(finding.module->source, finding.edits))
    edits.push_back({{"begin", edit.range.begin}, {"end", edit.range.end}, {"text", edit.text}});
  return edits;
}

Json finding_json(const Finding& finding, const std::string& fingerprint) {
  const SourceFile& source = finding.module->source;
  const TextPosition begin = source.position(finding.range.begin);
  const TextPosition end = source.position(finding.range.end);
  Json json{{"rule", finding.rule},
            {"severity", name_of(finding.severity)},
            {"file", source.name()},
            {"line", begin.line},
            {"column", begin.column},
            {"end_line", end.line},
            {"end_column", end.column},
            {"code", code_text(*finding.module, finding.range)},
            {"what", finding.message},
            {"advice", finding.advice},
            {"fix", name_of(finding.fixability)},
            {"edits", edits_json(finding)},
            {"fingerprint", fingerprint}};
  if (finding.suppressed) json["suppressed"] = finding.suppression_reason;
  return json;
}

/// Returns the findings with these indices.
Json other_findings_json(const std::vector<std::size_t>& others, const std::vector<Finding>& findings,
                         const std::vector<std::string>& fingerprints) {
  Json json = Json::array();
  for (const std::size_t other : others) json.push_back(finding_json(findings[other], fingerprints[other]));
  return json;
}

Json region(TextPosition begin, TextPosition end) {
  return {{"startLine", begin.line}, {"startColumn", begin.column}, {"endLine", end.line}, {"endColumn", end.column}};
}

/// Returns the level of a SARIF result.
std::string_view level(Severity severity) {
  return severity == Severity::style ? "note" : severity == Severity::fragile ? "warning" : "error";
}

Json rule_json(const Rule& rule) {
  return {{"id", rule.id},
          {"name", rule.title},
          {"shortDescription", {{"text", rule.title}}},
          {"fullDescription", {{"text", rule.why}}},
          {"help", {{"text", explain_rule(rule)}, {"markdown", rule_page(rule)}}},
          {"defaultConfiguration", {{"level", level(rule.severity)}, {"enabled", !rule.needs_policy}}},
          {"properties", {{"severity", name_of(rule.severity)}, {"fix", name_of(rule.fixability)}}}};
}

/// Escapes the characters of a path that RFC 3986 does not allow in URIs.
std::string uri(std::string_view name) {
  constexpr std::string_view kPlain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/";
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string text;
  for (const char c : name) {
    const auto byte = static_cast<unsigned char>(c);
    if (kPlain.find(c) != std::string_view::npos)
      text += c;
    else
      text += {'%', kDigits[byte >> 4U], kDigits[byte & 15U]};
  }
  return text;
}

Json sarif_result(const Finding& finding, const std::string& fingerprint, std::size_t rule_index) {
  const SourceFile& source = finding.module->source;
  const Json artifact{{"uri", uri(source.name())}};
  Json json{{"ruleId", finding.rule},
            {"ruleIndex", rule_index},
            {"level", level(finding.severity)},
            {"message", {{"text", finding.message + "; do: " + finding.advice}}},
            {"locations",
             Json::array(
                 {{{"physicalLocation",
                    {{"artifactLocation", artifact},
                     {"region", region(source.position(finding.range.begin), source.position(finding.range.end))}}}}})},
            {"partialFingerprints", {{"weir/v1", fingerprint}}}};
  if (!finding.edits.empty()) {
    Json replacements = Json::array();
    for (const Edit& edit : to_file_edits(source, finding.edits))
      replacements.push_back(
          {{"deletedRegion", region(source.file_position(edit.range.begin), source.file_position(edit.range.end))},
           {"insertedContent", {{"text", edit.text}}}});
    json["fixes"] = Json::array(
        {{{"description", {{"text", finding.advice}}},
          {"artifactChanges", Json::array({{{"artifactLocation", artifact}, {"replacements", replacements}}})}}});
  }
  if (finding.suppressed)
    json["suppressions"] = Json::array({{{"kind", "inSource"}, {"justification", finding.suppression_reason}}});
  return json;
}

}  // namespace

std::string json_report(const AuditResult& audit) {
  const auto fingerprints = compute_fingerprints(audit.findings);
  Json findings = Json::array();
  for (const LineFindings& group : group_by_line(audit.findings)) {
    findings.push_back(finding_json(audit.findings[group.primary], fingerprints[group.primary]));
    findings.back()["other_rules"] = other_findings_json(group.others, audit.findings, fingerprints);
  }
  for (std::size_t i = 0; i < audit.findings.size(); ++i)
    if (audit.findings[i].suppressed) findings.push_back(finding_json(audit.findings[i], fingerprints[i]));
  return dumped({{"weir", kVersion},
                 {"files", audit.file_count},
                 {"findings", findings},
                 {"problems", audit.problems},
                 {"notes", audit.notes}});
}

std::string sarif_report(const AuditResult& audit) {
  const auto fingerprints = compute_fingerprints(audit.findings);
  Json rules = Json::array();
  for (const Rule& rule : all_rules()) rules.push_back(rule_json(rule));
  Json results = Json::array();
  const auto add = [&](std::size_t i) {
    const auto index = static_cast<std::size_t>(find_rule(audit.findings[i].rule) - all_rules().data());
    results.push_back(sarif_result(audit.findings[i], fingerprints[i], index));
  };
  for (const LineFindings& group : group_by_line(audit.findings)) {
    add(group.primary);
    Json& text = results.back()["message"]["text"];
    text = text.get<std::string>() + other_rules_text(group, audit.findings);
    if (!group.others.empty())
      results.back()["properties"]["also"] = other_findings_json(group.others, audit.findings, fingerprints);
  }
  for (std::size_t i = 0; i < audit.findings.size(); ++i)
    if (audit.findings[i].suppressed) add(i);
  Json notes = Json::array();
  for (const std::string& problem : audit.problems)
    notes.push_back({{"level", "warning"}, {"message", {{"text", problem}}}});
  for (const std::string& note : audit.notes) notes.push_back({{"level", "note"}, {"message", {{"text", note}}}});
  const Json driver{{"name", "weir audit"}, {"version", kVersion}, {"rules", rules}};
  const Json run{{"tool", {{"driver", driver}}},
                 {"columnKind", "unicodeCodePoints"},
                 {"invocations", Json::array({{{"executionSuccessful", true}, {"toolExecutionNotifications", notes}}})},
                 {"results", results}};
  return dumped({{"$schema", "https://json.schemastore.org/sarif-2.1.0.json"},
                 {"version", "2.1.0"},
                 {"runs", Json::array({run})}});
}

}  // namespace weir::audit
