#pragma once

#include <string>
#include <string_view>

#include "audit/audit.hpp"

namespace weir::audit {

// Reports of an audit as complete texts. Bytes of names and code that are not UTF-8 become escapes or replacement
// characters, so that every format stays valid.

/// Returns the findings that are not suppressed as text for a terminal; empty if there are none.
std::string text_report(const AuditResult& audit);
/// Returns the findings, suppressed ones included, the problems and the notes as JSON.
std::string json_report(const AuditResult& audit);
/// Returns SARIF 2.1.0 (JSON for results of static analysis) with rule metadata, partialFingerprints, fixes and
/// suppressions.
std::string sarif_report(const AuditResult& audit);
/// Returns GitHub workflow commands, which GitHub shows beside the code: one for each line of code with findings that
/// are not suppressed.
std::string github_report(const AuditResult& audit);
/// Returns a JUnit report with one test case for each file of `audit.project`. A test case fails if its file has
/// findings that are not suppressed.
std::string junit_report(const AuditResult& audit);
/// Returns the findings that are not suppressed as a Markdown table, and the problems.
std::string markdown_report(const AuditResult& audit);
/// Returns statistics as text: the number of findings of each rule, the ten files with the most lines that have
/// findings, and totals. Suppressed findings are only counted in the totals.
std::string statistics_report(const AuditResult& audit);

/// A function that returns a report.
using Reporter = std::string (*)(const AuditResult&);
/// Returns the function for a format: "text", "json", "sarif", "github", "junit" or "md"; null for other formats.
Reporter find_reporter(std::string_view format);

/// Returns one fingerprint per finding, in order: 16 hexadecimal digits computed from the rule, the file's path
/// relative to the current folder, the code in question without white space, and a counter for findings in which all of
/// these are equal. Fingerprints do not depend on line numbers, so they identify a finding even after other code above
/// it has changed.
std::vector<std::string> compute_fingerprints(const std::vector<Finding>& findings);

}  // namespace weir::audit
