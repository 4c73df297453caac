#pragma once

#include <string>
#include <string_view>

#include "audit/audit.hpp"

namespace weir::audit {

// What an audit found, whole texts that end with a line break. Names and code that are not UTF-8 get escapes or replacement
// characters, so that every format stays valid.

std::string text_report(const AuditResult& audit);
std::string json_report(const AuditResult& audit);
/// SARIF 2.1.0 with rule metadata, partialFingerprints, fixes and suppressions.
std::string sarif_report(const AuditResult& audit);
/// Workflow commands, one a finding, as GitHub shows them beside the code.
std::string github_report(const AuditResult& audit);
/// One test case a file, failed where the file has findings.
std::string junit_report(const AuditResult& audit);
std::string markdown_report(const AuditResult& audit);
/// Counts by rule and severity, and the files with most findings.
std::string statistics_report(const AuditResult& audit);

/// By the name of --format; null if there is none of that name.
using Reporter = std::string (*)(const AuditResult&);
Reporter find_reporter(std::string_view format);

/// What stays the same when lines above a finding come and go: rule, file, the code in question, and which of several
/// alike it is. 16 hexadecimal digits each, in the order of the findings.
std::vector<std::string> compute_fingerprints(const std::vector<Finding>& findings);

}  // namespace weir::audit
