// Fuzz target. The first byte of the input selects the kind of file, the rest is the text of the file. A text that can
// be read is audited; all ranges must be within the text, all messages must be one line, and the edits of each finding
// are applied once. Seeds: audit_fuzz_corpus.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "audit/audit.hpp"
#include "audit/fix/apply.hpp"
#include "audit/report/report.hpp"
#include "audit/rules/checks.hpp"

namespace {

using weir::audit::Finding;
using weir::audit::Range;

void require(bool condition) {
  if (!condition) std::abort();
}

void check(Range range, std::size_t size) { require(range.begin <= range.end && range.end <= size); }

/// Applies the edits of one finding alone.
void apply(const Finding& finding) {
  weir::audit::EditSet edits;
  if (!weir::audit::is_editable_kind(finding.module->kind) || !edits.add(finding.edits)) return;
  const auto after = apply_to_file(*finding.module, edits);
  (void)static_cast<bool>(after);  // the result does not matter: rejected edits are never written
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  constexpr int kKinds = 12;  // number of kinds of files (FileKind)
  const auto kind = static_cast<weir::audit::FileKind>(data[0] % kKinds);
  const std::string text{reinterpret_cast<const char*>(data + 1), size - 1};
  auto module = weir::audit::read_module(kind, weir::audit::SourceFile{"file", "file", text});
  if (!module) return 0;
  const std::size_t code_size = module->source.text().size();
  for (const auto& function : module->functions) {
    for (const auto& event : function.events) {
      check(event.range, code_size);
      check(event.statement, code_size);
    }
  }
  std::vector<weir::audit::Module> modules;
  modules.push_back(*std::move(module));
  weir::audit::AuditResult audit;
  audit.project = std::make_unique<weir::audit::Project>(std::move(modules));
  weir::audit::Policy policy;
  policy.is_defined = true;
  policy.device = "GPU-1";
  audit.findings = apply_rules(*audit.project, policy);
  for (const Finding& finding : audit.findings) {
    check(finding.range, code_size);
    for (const auto& edit : finding.edits) check(edit.range, code_size);
    require(finding.message.find('\n') == std::string::npos);
    apply(finding);
  }
  for (const char* format : {"text", "json", "sarif", "github", "junit", "md"})
    require(!weir::audit::find_reporter(format)(audit).empty() || audit.findings.empty());
  return 0;
}
