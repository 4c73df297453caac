#pragma once

#include <filesystem>
#include <vector>

#include "audit/finding.hpp"
#include "base/result.hpp"

namespace weir::audit {

/// Marks the findings that the file names as suppressed. Errors: invalid_argument (it cannot be read, or is none).
Status read_baseline(const std::filesystem::path& path, std::vector<Finding>& findings);
/// One line a finding: its fingerprint, and for people its rule and file. Errors: io.
Status write_baseline(const std::filesystem::path& path, const std::vector<Finding>& findings);

}  // namespace weir::audit
