#pragma once

#include <string>
#include <vector>

namespace weir::audit {

/// Python code before and after its edits.
struct EditedCode {
  std::string text_before, text_after;
};

/// Returns for each pair, in order, whether its edits pass. A pair fails if Python's compile() accepts the code before
/// the edits and rejects it after them. Processes of the interpreter of find_python() do the checks and execute none of
/// the code; if there is no interpreter, all pairs pass. One process checks all pairs that have no answer yet, for at
/// most a minute plus a second per such pair. If it cannot be started, ends early or exceeds its time limit, the first
/// pair without an answer fails, and a new process with a new time limit continues after this pair.
std::vector<bool> check_compilation(const std::vector<EditedCode>& codes);

}  // namespace weir::audit
