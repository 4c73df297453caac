#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "audit/module.hpp"

namespace weir::audit {

/// dead: the code has no effect; wrong: it takes the wrong device or fails; fragile: right only as long as nothing else
/// changes; style: right, but hard to keep right.
enum class Severity { dead, wrong, fragile, style };
/// As people and programs are told: "dead".
std::string_view name_of(Severity severity);

/// How far the tool goes by itself.
enum class Fixability { safe, unsafe, manual };
/// "safe", "unsafe", "manual".
std::string_view name_of(Fixability fixability);

/// Bytes of one file that become other bytes.
struct Edit {
  Range range;
  std::string text;
};

/// One thing that a rule says of one place.
struct Finding {
  std::string_view rule;  ///< "G01"; lives as long as the program
  Severity severity;
  const Module* module;
  Range range;
  std::string message;  ///< why it is wrong here, one line
  std::string advice;   ///< what to do, one line
  Fixability fixability = Fixability::manual;
  std::vector<Edit> edits{};         ///< of `module`; empty if nothing can be done by itself
  bool suppressed = false;           ///< by a comment or the baseline
  std::string suppression_reason{};  ///< of the suppression
};

}  // namespace weir::audit
