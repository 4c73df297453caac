#pragma once

#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "audit/finding.hpp"
#include "base/result.hpp"

namespace weir::audit {

/// The fingerprints that the file names. Errors: invalid_argument (it cannot be read, or is none).
Result<std::set<std::string>> read_baseline(const std::filesystem::path& path);
/// Marks the findings with these fingerprints as suppressed.
void apply_baseline(const std::set<std::string>& accepted, std::vector<Finding>& findings);
/// One line a finding: its fingerprint, and for people its rule and file. Errors: io.
Status write_baseline(const std::filesystem::path& path, const std::vector<Finding>& findings);

}  // namespace weir::audit
