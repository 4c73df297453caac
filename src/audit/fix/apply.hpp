#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "audit/finding.hpp"
#include "base/result.hpp"

namespace weir::audit {

/// Edits that go together: each finding's are taken whole or not at all, in the order of the findings. One that cuts into
/// an edit taken before is left for the next round. Equal insertions are taken once.
class EditSet {
 public:
  bool add(const std::vector<Edit>& edits);  ///< false: left out
  bool empty() const { return edits_.empty(); }
  const std::vector<Edit>& edits() const { return edits_; }  ///< by place; at one place in the order of adding
  std::string apply_to(std::string_view text) const;

 private:
  std::vector<Edit> edits_;
};

/// The texts differ only where the edits say: every token on lines that no edit touches is the same and as deep in the tree,
/// and what parsed before parses after. Errors: invalid_argument, saying where they differ.
Status check_unchanged_outside(Language language, std::string_view before, const EditSet& edits,
                               std::string_view after);

/// Files of this kind are edited; others are only reported on.
bool is_editable_kind(FileKind kind);

/// The whole file with the edits in its code, which passes check_same_outside(). Of a notebook all that is no code is equal,
/// value by value, and the cells hold just the edited code. Errors: invalid_argument, saying which gate it did not pass.
Result<std::string> apply_to_file(const Module& module, const EditSet& edits);

}  // namespace weir::audit
