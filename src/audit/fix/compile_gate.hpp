#pragma once

#include <string>
#include <vector>

namespace weir::audit {

/// Python code before and after its edits.
struct EditedCode {
  std::string text_before, text_after;
};

/// Returns one result for each pair, in order: false if Python's compile() accepts the code before the edits and
/// rejects it after them, otherwise true. Uses the interpreter of find_python(); all results are true if there is no
/// interpreter. No code is executed. Each process may run for a minute plus a second per pair that is left. If
/// it ends early or runs out of time, the first pair without an answer gets false, and a new process with a new time
/// limit continues after it. A pair also gets false if no process can be started for it.
std::vector<bool> check_compilation(const std::vector<EditedCode>& codes);

}  // namespace weir::audit
