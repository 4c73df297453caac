#pragma once

// Devices that flow through a program to where they are used, behind a mask of one card: is G08 told?

#include <string>
#include <vector>

#include "audit_findings.hpp"

namespace weir::audit::test_kit {

using Codes = std::vector<std::string>;

/// G08 of a project of several files, whose masks stand in them.
inline Lines outside_mask_findings(const Files& files) { return findings_of(files, Policy{}, {"G08"}); }

/// G08 is told of a program that sets a mask of card 1 and imports torch first.
inline bool is_outside_mask(const std::string& code) {
  return !outside_mask_findings({{"a.py", kHeader + "import torch\nx = torch.zeros(2)\n" + code}}).empty();
}

}  // namespace weir::audit::test_kit
