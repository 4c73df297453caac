#pragma once

// Helpers for tests of rule G08: a program sets a mask, such as CUDA_VISIBLE_DEVICES=1, and then uses a device number
// that does not exist under the mask. The tests check that the audit follows the number through a program to its use.

#include <string>
#include <vector>

#include "audit_findings.hpp"

namespace weir::audit::test_kit {

/// Pieces of Python code, one per test case.
using Codes = std::vector<std::string>;

/// Returns the G08 findings of a project of several files. The files contain the code that sets the masks.
inline Lines outside_mask_findings(const Files& files) { return findings_of(files, Policy{}, {"G08"}); }

/// Returns whether G08 is reported for `code` after lines that set the mask "1" and import torch.
inline bool is_outside_mask(const std::string& code) {
  return !outside_mask_findings({{"a.py", kHeader + "import torch\nx = torch.zeros(2)\n" + code}}).empty();
}

}  // namespace weir::audit::test_kit
