#pragma once

#include <string>
#include <vector>

namespace weir::audit {

/// Python code before and after its edits.
struct EditedCode {
  std::string text_before, text_after;
};

/// For each, in order: what compile() of the python3 on PATH took before, it takes after. Nothing is run. True for all where there
/// is no interpreter. One process is asked for all of them; where a text ends it (nested too deep, or more than a minute and a
/// second a text), that text has failed and another process goes on behind it.
std::vector<bool> check_compilation(const std::vector<EditedCode>& codes);

}  // namespace weir::audit
