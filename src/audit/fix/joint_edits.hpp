#pragma once

#include <optional>
#include <string>
#include <vector>

#include "audit/finding.hpp"

namespace weir::audit {

/// The result of apply_together() for one file.
struct JointEdits {
  /// A finding whose edits fail apply_to_file() even alone.
  struct RejectedFinding {
    const Finding* finding;
    std::string reason;  ///< message of the error
  };
  std::optional<std::string> edited_text{};  ///< the whole edited file; empty if nothing was applied
  std::vector<const Finding*> applied{};     ///< findings whose edits are in `edited_text`
  std::vector<RejectedFinding> rejected{};
};

/// Applies the edits of findings of one module, in order, and leaves out findings whose edits do not pass
/// apply_to_file() together with the edits applied so far. A finding that is neither in `applied` nor in `rejected`
/// conflicts with another finding and may be fixed in a later round (fix_files()).
JointEdits apply_together(const Module& module, const std::vector<const Finding*>& findings);

}  // namespace weir::audit
