#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "audit/module.hpp"

namespace weir::audit {

/// How bad a finding is, the most severe first.
enum class Severity {
  dead,     ///< the code has no effect, or the file does not compile
  wrong,    ///< the code uses the wrong device or fails
  fragile,  ///< the code is correct only as long as nothing else changes
  style     ///< the code is correct but hard to keep correct
};
/// Returns the name in reports, such as "dead".
std::string_view name_of(Severity severity);

/// Which option makes the fixer edit the code of a finding.
enum class Fixability {
  safe,    ///< --fix
  unsafe,  ///< --fix --unsafe only, because the edit may change what the program does
  manual   ///< none: a person must edit the code
};
/// Returns the name in reports: "safe", "unsafe" or "manual".
std::string_view name_of(Fixability fixability);

/// A replacement of a byte range of a text. An empty range is an insertion; an empty `text` is a deletion.
struct Edit {
  Range range;
  std::string text;
};

/// A defect that a rule found at one place.
struct Finding {
  std::string_view rule;  ///< id such as "G01"; points into the rule table, so it is always valid
  Severity severity;
  const Module* module;  ///< file that contains the defect; never null
  Range range;           ///< the code in question
  std::string message;   ///< what is wrong, one line
  std::string advice;    ///< how to repair the defect, one line
  Fixability fixability = Fixability::manual;
  std::vector<Edit> edits{};         ///< edits of the code of `module`; empty if the fixer cannot repair the defect
  bool suppressed = false;           ///< allowed by a comment, or by the baseline (the list of accepted findings)
  std::string suppression_reason{};  ///< reason in the comment, or "in the baseline"; may be empty
};

}  // namespace weir::audit
