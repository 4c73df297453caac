#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "audit/finding.hpp"
#include "base/result.hpp"

namespace weir::audit {

/// A set of edits of one text that do not conflict.
class EditSet {
 public:
  /// Adds all edits of a finding and returns true. Returns false and adds no edit if `edits` is empty, if one of them
  /// overlaps a different edit of the set, or if the set already contains an equal deletion or replacement. An
  /// insertion that the set already contains is not added twice.
  bool add(const std::vector<Edit>& edits);
  bool empty() const { return edits_.empty(); }
  /// Returns the edits ordered by position. Insertions at one position are in the order in which they were added,
  /// before a deletion or replacement that begins there.
  const std::vector<Edit>& edits() const { return edits_; }
  /// Returns the text with the edits applied.
  std::string apply_to(std::string_view text) const;

 private:
  std::vector<Edit> edits_;
};

/// Checks that the texts before and after the edits differ only at the edits: every token on a line without an edit is
/// the same, at the same depth of the syntax tree (comments at any depth), and a text that parsed before parses after.
/// Errors: invalid_argument (the message contains the first line that differs, or reports that the new text does not
/// parse); those of parse().
Status check_unchanged_outside(Language language, std::string_view before, const EditSet& edits,
                               std::string_view after);

/// Returns whether the fixer edits files of this kind. Findings in files of other kinds are only reported.
bool is_editable_kind(FileKind kind);

/// Returns the whole file with the edits applied to its code. The kind of the module must be editable. Errors: those of
/// check_unchanged_outside(); invalid_argument for a notebook if to_file_edits() (file_edits.hpp) cannot convert the
/// edits, or if its JSON would change in anything but the code.
Result<std::string> apply_to_file(const Module& module, const EditSet& edits);

}  // namespace weir::audit
