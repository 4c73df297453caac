#pragma once

#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "audit/finding.hpp"
#include "base/result.hpp"

namespace weir::audit {

// A baseline is a file with the fingerprints of the findings that a project accepts. compute_fingerprints() in
// report.hpp computes them.

/// Reads the fingerprints in a baseline file. Errors: invalid_argument (the file cannot be read, or is no baseline).
Result<std::set<std::string>> read_baseline(const std::filesystem::path& path);
/// Marks as suppressed all findings whose fingerprint is in `accepted`.
void apply_baseline(const std::set<std::string>& accepted, std::vector<Finding>& findings);
/// Writes a baseline file: a first line with the format, then one line per finding that is not suppressed. Such a line
/// has the fingerprint, followed by rule and file for human readers. Replaces an existing file. Errors: io, disk_full.
Status write_baseline(const std::filesystem::path& path, const std::vector<Finding>& findings);

}  // namespace weir::audit
