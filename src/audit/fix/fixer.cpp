#include "audit/fix/fixer.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>

#include "audit/fix/apply.hpp"
#include "audit/fix/compile_gate.hpp"
#include "audit/other/readers.hpp"
#include "base/atomic_file.hpp"
#include "base/text.hpp"

namespace weir::audit {
namespace {

constexpr int kMostRounds = 6;

bool is_generated(const SourceFile& source) {
  for (std::uint32_t line = 1; line <= std::min(source.lines(), 6U); ++line) {
    const std::string_view text = source.line(line);
    if (text.find("@generated") != std::string_view::npos || text.find("DO NOT EDIT") != std::string_view::npos)
      return true;
  }
  return false;
}

bool is_wanted(const Finding& finding, const FixRequest& how) {
  if (finding.suppressed || finding.edits.empty()) return false;
  return finding.fixing == Fixing::safe || (how.unsafe && finding.fixing == Fixing::unsafe);
}

class Mender {
 public:
  Mender(const AuditRequest& request, const FixRequest& how, Audit audit)
      : request_{request}, how_{how}, audit_{std::move(audit)} {}

  FixOutcome run() {
    for (int round = 0; round < kMostRounds && mend_once(); ++round) continue;
    check_compiling();
    FixOutcome outcome;
    for (auto& [path, file] : files_) {
      if (file.problem.empty() && file.after != file.before && how_.write) write(file);
      if (!file.problem.empty()) put_back(file);
      outcome.files.push_back(std::move(file));
    }
    judge_again();
    outcome.after = std::move(audit_);
    return outcome;
  }

 private:
  /// One round over all files; true if anything changed.
  bool mend_once() {
    std::map<const Module*, EditSet> edits;
    for (const Finding& finding : audit_.findings) {
      if (!is_wanted(finding, how_) || frozen_.contains(finding.module->source.path().native())) continue;
      if (is_generated(finding.module->source) || !is_edited(finding.module->kind)) continue;
      if (edits[finding.module].add(finding.edits)) note_rule(finding);
    }
    std::map<std::string, std::string> changed;
    for (const auto& [module, set] : edits) {
      if (set.empty()) continue;
      const std::string path = module->source.path().native();
      auto after = mended_file(*module, set);
      if (!after) {
        files_.at(path).problem = after.error().what;
        frozen_.insert(path);
        continue;
      }
      changed.emplace(path, *std::move(after));
    }
    for (auto& [path, text] : changed) files_.at(path).after = text;
    replace(changed);
    return !changed.empty();
  }

  void note_rule(const Finding& finding) {
    const SourceFile& source = finding.module->source;
    const std::string path = source.path().native();
    const auto [at, fresh] = files_.try_emplace(path);
    if (fresh)
      at->second = {.name = source.name(),
                    .path = source.path(),
                    .kind = finding.module->kind,
                    .before = std::string{source.file_text()},
                    .after = std::string{source.file_text()}};
    auto& rules = at->second.rules;
    if (std::find(rules.begin(), rules.end(), finding.rule) == rules.end()) rules.emplace_back(finding.rule);
  }

  void replace(const std::map<std::string, std::string>& texts) {
    audit_.findings.clear();
    auto modules = std::move(*audit_.project).take();
    for (Module& module : modules) {
      const auto found = texts.find(module.source.path().native());
      if (found == texts.end()) continue;
      auto again = read_module(module.kind, SourceFile{module.source.path(), module.source.name(), found->second});
      if (again) module = *std::move(again);
    }
    audit_.project = std::make_unique<Project>(std::move(modules));
    audit_.findings = judge_wanted(*audit_.project, request_);
  }

  void judge_again() {
    std::map<std::string, std::string> texts;
    for (const auto& file : put_back_) texts.emplace(file.first, file.second);
    if (!texts.empty()) replace(texts);
  }

  void put_back(FixedFile& file) {
    file.after = file.before;
    put_back_.emplace(file.path.native(), file.before);
  }

  /// The last gate.
  void check_compiling() {
    std::vector<FixedFile*> asked;
    std::vector<EditedCode> codes;
    for (auto& [path, file] : files_) {
      if (!file.problem.empty() || file.after == file.before) continue;
      EditedCode code{python_of(file, file.before), python_of(file, file.after)};
      if (code.before.empty()) continue;
      asked.push_back(&file);
      codes.push_back(std::move(code));
    }
    const std::vector<bool> good = still_compile(codes);
    for (std::size_t i = 0; i < asked.size(); ++i)
      if (!good[i]) asked[i]->problem = "does not compile after the edit";
  }

  /// What an interpreter would be given; nothing of other languages.
  static std::string python_of(const FixedFile& file, const std::string& text) {
    if (file.kind == FileKind::python) return text;
    if (file.kind != FileKind::notebook) return {};
    const auto code = notebook_code(SourceFile{file.path, file.name, text});
    return code ? std::string{code->text()} : std::string{};
  }

  void write(FixedFile& file) const {
    if (auto written = replace_file(file); !written) file.problem = written.error().what;
  }

  Status replace_file(const FixedFile& file) const {
    const auto now = SourceFile::read(file.path, file.name);
    if (!now) return now.error();
    if (now->text() != file.before) return Error{Errc::io, "was changed meanwhile by somebody else"};
    struct stat info {};
    if (::stat(file.path.c_str(), &info) != 0 || (info.st_mode & 0222U) == 0) return Error{Errc::io, "is read-only"};
    if (how_.backup) {
      if (auto kept = write_file(file.path.native() + ".orig", file.before, false); !kept) return kept.error();
    }
    return write_file(file.path, file.after, true);
  }

  const AuditRequest& request_;
  const FixRequest& how_;
  Audit audit_;
  std::map<std::string, FixedFile> files_;
  std::map<std::string, std::string> put_back_;
  std::set<std::string> frozen_;
};

}  // namespace

Result<FixOutcome> fix(const AuditRequest& request, const FixRequest& how) {
  auto audit = run_audit(request);
  if (!audit) return audit.error();
  return Mender{request, how, *std::move(audit)}.run();
}

}  // namespace weir::audit
