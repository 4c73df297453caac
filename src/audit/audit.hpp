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

/// What to read and by what to judge it.
struct AuditRequest {
  std::vector<std::string> operands{};
  Policy policy{};
  std::vector<std::string> select{};  ///< rules by id; empty: all that apply
  std::vector<std::string> ignore{};
  std::set<std::string> baseline{};  ///< fingerprints of findings that are none any more: a baseline
  int threads = 1;
};

/// What one audit found. The findings point into the project.
struct AuditResult {
  std::unique_ptr<Project> project;
  std::vector<Finding> findings;      ///< by file and place; suppressed ones too
  std::vector<std::string> problems;  ///< files that could not be judged, one line each
  std::vector<std::string>
      notes{};  ///< what was judged, and is still worth a word (a comment that names no rule), one line each
  std::size_t file_count = 0;  ///< that were looked at
};

/// Reads and judges everything below the operands. Errors: invalid_argument (an operand or a rule that does not exist).
Result<AuditResult> run_audit(const AuditRequest& request);

/// The findings that the request asks for, with what comments and the baseline allow marked.
std::vector<Finding> apply_requested_rules(const Project& project, const AuditRequest& request);

/// Reads one text as a file of this kind would be. Thread-safe. Errors: those of the reader.
Result<Module> read_module(FileKind kind, SourceFile source, const ImportedNames& imports = {});

}  // namespace weir::audit
