#pragma once

#include <string>
#include <vector>

#include "audit/audit.hpp"

namespace weir::audit {

/// How far to go.
struct FixOptions {
  bool unsafe = false;  ///< also what may change what the program does
  bool write = false;   ///< else the texts are only made
  bool backup = false;  ///< keep FILE.orig beside what is written
};

/// What became of one file.
struct FixedFile {
  std::string name;
  std::filesystem::path path;
  FileKind kind;
  std::string text_before, text_after;  ///< equal if it is left as it was
  std::vector<std::string> rules{};     ///< that were mended, each once
  std::string problem{};                ///< why it was left as it was; empty if it is mended
};

/// What became of all files.
struct FixResult {
  std::vector<FixedFile> files;  ///< those with something to mend, by name
  AuditResult audit_after;       ///< of what is there now, or would be
};

/// Mends in rounds until nothing is left to do, so that a second run finds nothing. A file is written whole or not at all, and
/// only if it passes the gates: equal outside the edits, parses, compiles if it compiled. Errors: those of run_audit.
Result<FixResult> fix_files(const AuditRequest& request, const FixOptions& options);

}  // namespace weir::audit
