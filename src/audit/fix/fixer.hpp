#pragma once

#include <string>
#include <vector>

#include "audit/audit.hpp"

namespace weir::audit {

/// Options of the fixer.
struct FixOptions {
  bool unsafe = false;  ///< also applies edits that may change what a program does
  bool write = false;   ///< writes the files; false: a dry run, which only computes the texts
  bool backup = false;  ///< keeps the old text in FILE.orig beside each written file; an existing FILE.orig is an error
};

/// The result of the fixer for one file.
struct FixedFile {
  std::string name;
  std::filesystem::path path;
  FileKind kind;
  std::string text_before, text_after;  ///< the whole file; equal if the file is unchanged
  std::vector<std::string> rules{};     ///< ids of the rules whose findings were edited, each once
  std::string problem{};                ///< why the file could not be edited or written; the texts are then equal
};

/// The result of the fixer for all files.
struct FixResult {
  std::vector<FixedFile> files;  ///< files with a finding that has edits for the options, ordered by path
  AuditResult audit_after;       ///< the audit of all files with the new texts, after a dry run as well
};

/// Edits the files and audits them again, in rounds, until a round changes nothing. Up to 12 rounds are a pass; there
/// are up to 4 passes with safe edits, then, if `unsafe` is set, up to 4 passes with all edits. Most edits must not
/// change which devices a program sees; if such an edit does, it is dropped, and the advice of its finding contains the
/// reason. A file is written completely or not at all, and only if these checks pass: the text outside the edits is
/// equal, a text that parsed still parses, and Python code that compiled still compiles (as far as Python is
/// installed). Errors: those of run_audit(). A file that cannot be edited or written is no error: `problem` of the file
/// contains the reason.
Result<FixResult> fix_files(const AuditRequest& request, const FixOptions& options);

}  // namespace weir::audit
