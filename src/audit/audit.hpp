#pragma once

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "audit/finding.hpp"
#include "audit/policy.hpp"
#include "audit/project/project.hpp"
#include "base/result.hpp"

namespace weir::audit {

// The audit reads source files, finds defects in how programs select their GPU, and reports them as findings. It never
// runs the programs. A policy is a project's choice of a GPU (policy.hpp).

/// The files that an audit reads, and the rules and the policy that it applies.
struct AuditRequest {
  std::vector<std::string> operands{};  ///< files and folders to read
  Policy policy{};
  std::vector<std::string> select{};  ///< ids of the rules to apply; empty: all rules if `policy.is_defined` is true,
                                      ///< otherwise all rules that need no policy
  std::vector<std::string> ignore{};  ///< ids of rules that are not applied, even if `select` contains them
  std::set<std::string> baseline{};   ///< fingerprints of accepted findings, which are marked as suppressed
  int threads = 1;                    ///< number of threads that read files
};

/// The result of one audit. The findings point into `project`.
struct AuditResult {
  std::unique_ptr<Project> project;   ///< the files that were read, without those that no rule needs
  std::vector<Finding> findings;      ///< ordered by file and position, suppressed findings included
  std::vector<std::string> problems;  ///< one line per file or folder that could not be read, and per file with a
                                      ///< syntax error that may hide code about GPUs; data files (large or binary
                                      ///< files that are not Python) are no problem
  std::vector<std::string>
      notes{};                 ///< warnings about files that were audited, and links to folders that are not followed,
                               ///< one line each
  std::size_t file_count = 0;  ///< number of files found below the operands, unreadable ones included
};

/// Reads all files below the operands and applies the rules. Errors: invalid_argument (an operand or a rule does not
/// exist, or an operand is a file of a kind that the audit cannot read).
Result<AuditResult> run_audit(const AuditRequest& request);

/// Applies the rules that the request selects to files that were read before, and returns the findings. Findings that a
/// comment or the baseline allows are marked as suppressed.
std::vector<Finding> apply_requested_rules(const Project& project, const AuditRequest& request);

/// Reads one text with the reader for its file kind. `imports` contains known values of names that the text imports
/// from other files; only Python uses them. Thread-safe. Errors: corrupt (a notebook whose JSON is invalid),
/// unsupported (the parser gives up on the text).
Result<Module> read_module(FileKind kind, SourceFile source, const ImportedNames& imports = {});

}  // namespace weir::audit
