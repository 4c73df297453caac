#pragma once

#include <string>
#include <vector>

#include "audit/audit.hpp"

namespace weir::audit {

/// Options of the fixer.
struct FixOptions {
  bool unsafe = false;  ///< also applies edits that may change what a program does
  bool write = false;   ///< writes the files; false: a dry run, which only computes the texts
  bool backup = false;  ///< keeps the old text in FILE.orig beside each written file; a file whose FILE.orig exists
                        ///< already is not written
};

/// The result of the fixer for one file.
struct FixedFile {
  std::string name;  ///< name in messages (SourceFile::name())
  std::filesystem::path path;
  FileKind kind;
  std::string text_before, text_after;  ///< the whole file; equal if the file is unchanged
  std::vector<std::string> rules{};     ///< ids of the rules whose edits were applied, each once; also if a problem
                                        ///< undid them later
  std::string problem{};                ///< why the file could not be edited or written; the texts are then equal
};

/// The result of the fixer for all files.
struct FixResult {
  std::vector<FixedFile> files;  ///< files with a finding that has edits for the options, ordered by path
  AuditResult audit_after;       ///< the audit of all files with the new texts, after a dry run as well
};

/// Edits the files in rounds. Each round applies edits and audits all files again. A pass is a sequence of up to 12
/// rounds; it ends when no edit is left. There are up to 4 passes with safe edits and then, if `unsafe` is set, up to 4
/// passes with all edits. Most edits must not change which devices a program sees. If such an edit does, it is dropped
/// for the rest of the pass, and the next pass tries it again; if the last pass drops it, the advice of its finding
/// contains the reason.
/// A file is written completely or not at all, and only if these checks pass: the text outside the edits is equal, a
/// text that parsed still parses, and Python code that compiled still compiles (if Python is installed). Errors: those
/// of run_audit(). A file that cannot be edited or written is no error: `problem` of the file contains the reason.
Result<FixResult> fix_files(const AuditRequest& request, const FixOptions& options);

}  // namespace weir::audit
