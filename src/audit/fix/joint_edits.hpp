#pragma once

#include <optional>
#include <string>
#include <vector>

#include "audit/finding.hpp"

namespace weir::audit {

/// One file with the edits of several findings.
struct JointEdits {
  struct RejectedFinding {
    const Finding* finding;
    std::string reason;
  };
  std::optional<std::string> edited_text{};  ///< the whole file; none if nothing was done
  std::vector<const Finding*> applied{};
  std::vector<RejectedFinding> rejected{};  ///< those whose edits alone do not pass mended_file()
};

/// Does the edits of as many of a module's findings as pass mended_file() together, in their order. What is in neither list stands in
/// the way of others, and is for a later round.
JointEdits apply_together(const Module& module, const std::vector<const Finding*>& findings);

}  // namespace weir::audit
