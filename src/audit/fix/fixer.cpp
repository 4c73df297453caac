#include "audit/fix/fixer.hpp"

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <map>
#include <set>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "audit/fix/apply.hpp"
#include "audit/fix/compile_gate.hpp"
#include "audit/fix/joint_edits.hpp"
#include "audit/fix/selection.hpp"
#include "audit/other/readers.hpp"
#include "audit/project/link_project.hpp"
#include "base/atomic_file.hpp"
#include "base/text.hpp"

namespace weir::audit {
namespace {

namespace fs = std::filesystem;

constexpr int kMaxRounds = 12;
constexpr int kMaxPasses = 4;

bool is_generated(const SourceFile& source) {
  for (std::uint32_t line = 1; line <= std::min(source.line_count(), 6U); ++line) {
    const std::string_view text = source.line(line);
    if (text.find("@generated") != std::string_view::npos || text.find("DO NOT EDIT") != std::string_view::npos)
      return true;
  }
  return false;
}

bool is_fixable(const Finding& finding, bool unsafe) {
  if (finding.suppressed || finding.edits.empty()) return false;
  return finding.fixability == Fixability::safe || (unsafe && finding.fixability == Fixability::unsafe);
}

/// By somebody: root may write what nobody is meant to.
bool may_be_written(const fs::path& path) {
  constexpr fs::perms kWriters = fs::perms::owner_write | fs::perms::group_write | fs::perms::others_write;
  std::error_code problem;
  const fs::file_status status = fs::status(path, problem);
  return !problem && (status.permissions() & kWriters) != fs::perms::none;
}

class Fixer {
 public:
  Fixer(const AuditRequest& request, const FixOptions& options, AuditResult audit)
      : request_{request}, options_{options}, audit_{std::move(audit)} {}

  FixResult run() {
    apply_fixes(false);
    if (options_.unsafe) {
      safely_fixed_ = files_;
      apply_fixes(true);
    }
    check_compiling();
    FixResult result;
    for (auto& [path, file] : files_) {
      if (file.text_after == file.text_before && file.problem.empty()) file.problem = rejections_[path];
      if (file.problem.empty() && file.text_after != file.text_before) write(file);
      if (!file.problem.empty()) restore(file);
      result.files.push_back(std::move(file));
    }
    audit_restored_files();
    explain_dropped_edits();
    result.audit_after = std::move(audit_);
    return result;
  }

 private:
  /// What an edit says of the devices that programs see.
  enum class Effect { same_selection, other_selection };

  static Effect intended_effect(const Finding& finding) {
    const bool selects = finding.rule == "G05" || finding.rule == "G11" || finding.rule == "G27" ||
                         finding.rule == "G28" || finding.rule == "G33" ||
                         (finding.rule == "G01" && finding.fixability == Fixability::unsafe);
    return selects ? Effect::other_selection : Effect::same_selection;
  }

  /// What may change the program comes behind all that may not: so it takes nothing of that away. An edit that was left out may do
  /// after others, as it would in a second run.
  void apply_fixes(bool unsafe) {
    for (int pass = 0; pass < kMaxPasses; ++pass) {
      if (!run_pass(unsafe) || dropped_edits_.empty() || pass + 1 == kMaxPasses) break;
      dropped_edits_.clear();
    }
  }

  /// True if anything changed.
  bool run_pass(bool unsafe) {
    bool changed = false;
    for (int round = 0; round < kMaxRounds; ++round) {
      const RoundResult same = run_round(unsafe, Effect::same_selection);
      const RoundResult other =
          same == RoundResult::nothing ? run_round(unsafe, Effect::other_selection) : RoundResult::nothing;
      if (same == RoundResult::nothing && other == RoundResult::nothing) break;
      changed = changed || same == RoundResult::changed || other == RoundResult::changed;
    }
    return changed;
  }

  bool is_due(const Finding& finding, bool unsafe, Effect effect) {
    const std::string path = finding.module->source.path().native();
    return is_fixable(finding, unsafe) && intended_effect(finding) == effect && !excluded_links_.contains(path) &&
           !dropped_edits_.contains({path, std::string{finding.rule}}) && !is_generated(finding.module->source) &&
           is_editable_kind(finding.module->kind) && !exclude_link(finding);
  }

  /// What one round makes of the files, by path.
  struct Round {
    std::map<std::string, std::string> before, after;
    std::map<std::string, std::set<std::string>> rules;
  };

  Round edit_files(bool unsafe, Effect effect) {
    std::map<const Module*, std::vector<const Finding*>> due;
    for (const Finding& finding : audit_.findings)
      if (is_due(finding, unsafe, effect)) due[finding.module].push_back(&finding);
    Round round;
    for (const auto& [module, findings] : due) {
      const std::string path = module->source.path().native();
      note_file(*findings.front());
      JointEdits joint = apply_together(*module, findings);
      for (const auto& [finding, reason] : joint.rejected) {
        rejections_[path] = reason;
        dropped_edits_.emplace(std::pair{path, std::string{finding->rule}}, ": " + reason);
      }
      if (!joint.edited_text) continue;
      round.before.emplace(path, std::string{module->source.file_text()});
      round.after.emplace(path, *std::move(joint.edited_text));
      for (const Finding* finding : joint.applied) round.rules[path].emplace(finding->rule);
    }
    return round;
  }

  enum class RoundResult { nothing, changed, reverted };

  /// One round over all files with edits of one kind.
  RoundResult run_round(bool unsafe, Effect effect) {
    const Round round = edit_files(unsafe, effect);
    if (round.after.empty()) return RoundResult::nothing;
    const auto before = effect == Effect::same_selection ? collect_selections(*audit_.project) : Selections{};
    replace_texts(round.after);
    if (effect == Effect::same_selection && !check_selections(before, round.rules)) {
      replace_texts(round.before);
      return RoundResult::reverted;
    }
    for (const auto& [path, text] : round.after) {
      FixedFile& file = files_.at(path);
      file.text_after = text;
      for (const std::string& rule : round.rules.at(path))
        if (std::find(file.rules.begin(), file.rules.end(), rule) == file.rules.end()) file.rules.push_back(rule);
    }
    return RoundResult::changed;
  }

  /// A symbolic link stays one: its target is mended, once, where it is one of the files; a link to anything else is left and told.
  bool exclude_link(const Finding& finding) {
    const fs::path& path = finding.module->source.path();
    std::error_code problem;
    if (!fs::is_symlink(path, problem)) return false;
    const fs::path target = fs::weakly_canonical(path, problem);
    const auto& modules = audit_.project->modules();
    const bool is_audited = std::any_of(modules.begin(), modules.end(),
                                        [&](const Module& module) { return module.source.path() == target; });
    if (!is_audited) {
      note_file(finding);
      files_.at(path.native()).problem =
          fmt::format("is a link to {}, which is none of the files", printable(target.native()));
    }
    excluded_links_.insert(path.native());
    return true;
  }

  using Selections = std::map<std::string, DeviceSelection>;

  /// The edits to leave out first where a selection changed: those of numbers, which a mask may be made of, too; then those of masks;
  /// then all others.
  static std::set<std::string> rules_to_drop_first(const std::set<std::string>& fixed_rules) {
    const std::set<std::string> numbers{"G08", "G09", "G18"};
    const std::set<std::string> masks{"G01", "G02", "G07", "G10", "G24", "G26"};
    for (const auto& rules : {numbers, masks}) {
      std::set<std::string> found;
      std::set_intersection(rules.begin(), rules.end(), fixed_rules.begin(), fixed_rules.end(),
                            std::inserter(found, found.end()));
      if (!found.empty()) return found;
    }
    return fixed_rules;
  }

  /// Every program of the project sees the devices that it saw before this round. Where one does not, the edits to masks of the
  /// files that it runs are left out from now on.
  bool check_selections(const Selections& before, const std::map<std::string, std::set<std::string>>& rules) {
    const Selections after = collect_selections(*audit_.project);
    bool same = true;
    for (const auto& [program, was] : before) {
      const auto is = after.find(program);
      // A program with nothing left that matters has no masks.
      const std::string masks_after = is == after.end() ? "--\n" : is->second.masks;
      if (masks_after == was.masks) continue;
      same = false;
      const fs::path affected_program = program.substr(0, program.rfind('#'));
      const std::string advice_tail =
          fmt::format(", since {} would see other devices", printable(affected_program.filename().native()));
      for (const auto& [path, fixed_rules] : rules) {
        if (!was.files.contains(path)) continue;
        for (const std::string& rule : rules_to_drop_first(fixed_rules))
          dropped_edits_.emplace(std::pair{path, rule}, advice_tail);
      }
    }
    return same;
  }

  /// The findings whose edits were left out say why.
  void explain_dropped_edits() {
    for (Finding& finding : audit_.findings) {
      const auto found = dropped_edits_.find({finding.module->source.path().native(), std::string{finding.rule}});
      if (found == dropped_edits_.end() || finding.edits.empty()) continue;
      finding.edits.clear();
      finding.fixability = Fixability::manual;
      finding.advice += "; no automatic fix" + found->second;
    }
  }

  void note_file(const Finding& finding) {
    const SourceFile& source = finding.module->source;
    const auto [at, inserted] = files_.try_emplace(source.path().native());
    if (inserted)
      at->second = {.name = source.name(),
                    .path = source.path(),
                    .kind = finding.module->kind,
                    .text_before = std::string{source.file_text()},
                    .text_after = std::string{source.file_text()}};
  }

  void replace_texts(const std::map<std::string, std::string>& texts) {
    audit_.findings.clear();
    auto modules = std::move(*audit_.project).take();
    for (Module& module : modules) {
      std::error_code problem;
      const fs::path& path = module.source.path();
      const bool links = fs::is_symlink(path, problem);
      const auto found = texts.find(links ? fs::weakly_canonical(path, problem).native() : path.native());
      if (found == texts.end()) continue;
      auto again = read_module(module.kind, SourceFile{module.source.path(), module.source.name(), found->second});
      if (!again) continue;
      again->link_target = module.link_target;
      again->is_entry_point = again->is_entry_point || request_.policy.is_entry_point(module.source.name());
      module = *std::move(again);
    }
    audit_.project = link_project(std::move(modules));
    audit_.findings = apply_requested_rules(*audit_.project, request_);
  }

  void audit_restored_files() {
    std::map<std::string, std::string> texts;
    for (const auto& file : restored_texts_) texts.emplace(file.first, file.second);
    if (!texts.empty()) replace_texts(texts);
  }

  void restore(FixedFile& file) {
    file.text_after = file.text_before;
    restored_texts_.insert_or_assign(file.path.native(), file.text_before);
  }

  /// The last gate. Where the unsafe edits do not pass it, the others stay.
  void check_compiling() {
    std::vector<FixedFile*> edited;
    for (auto& [path, file] : files_)
      if (file.problem.empty() && file.text_after != file.text_before) edited.push_back(&file);
    std::vector<FixedFile*> again;
    for (FixedFile* const file : not_compiling(edited)) {
      const auto safe = safely_fixed_.find(file->path.native());
      if (safe == safely_fixed_.end() || safe->second.text_after == file->text_after ||
          safe->second.text_after == file->text_before) {
        file->problem = "does not compile after the edit";
        continue;
      }
      *file = safe->second;
      restored_texts_.emplace(file->path.native(), file->text_after);
      again.push_back(file);
    }
    for (FixedFile* const file : not_compiling(again)) file->problem = "does not compile after the edit";
  }

  static std::vector<FixedFile*> not_compiling(const std::vector<FixedFile*>& files) {
    std::vector<FixedFile*> checked;
    std::vector<EditedCode> codes;
    for (FixedFile* const file : files) {
      EditedCode code{python_code_of(*file, file->text_before), python_code_of(*file, file->text_after)};
      if (code.text_before.empty()) continue;
      checked.push_back(file);
      codes.push_back(std::move(code));
    }
    const std::vector<bool> good = check_compilation(codes);
    std::vector<FixedFile*> bad;
    for (std::size_t i = 0; i < checked.size(); ++i)
      if (!good[i]) bad.push_back(checked[i]);
    return bad;
  }

  /// What an interpreter would be given; nothing of other languages.
  static std::string python_code_of(const FixedFile& file, const std::string& text) {
    if (file.kind == FileKind::python) return text;
    if (file.kind != FileKind::notebook) return {};
    const auto code = extract_notebook_code(SourceFile{file.path, file.name, text});
    return code ? std::string{code->text()} : std::string{};
  }

  void write(FixedFile& file) const {
    if (auto written = replace_file(file); !written) file.problem = written.error().what;
  }

  Status replace_file(const FixedFile& file) const {
    const auto current = SourceFile::read(file.path, file.name);
    if (!current) return current.error();
    if (current->text() != file.text_before) return Error{Errc::io, "was changed meanwhile by somebody else"};
    if (!may_be_written(file.path)) return Error{Errc::io, "is read-only"};
    if (!options_.write) return ok();  // what would be left is left out of what would be done
    if (options_.backup) {
      if (auto kept = write_file(file.path.native() + ".orig", file.text_before, false); !kept) return kept.error();
    }
    return write_file(file.path, file.text_after, true);
  }

  const AuditRequest& request_;
  const FixOptions& options_;
  AuditResult audit_;
  std::map<std::string, FixedFile> files_;
  std::map<std::string, FixedFile> safely_fixed_{};  ///< the same before the first unsafe edit
  std::map<std::string, std::string> restored_texts_;
  std::set<std::string> excluded_links_;
  std::map<std::string, std::string> rejections_{};  ///< by file: why an edit of it was left out
  /// Edits that are left out, by file and rule, and why.
  std::map<std::pair<std::string, std::string>, std::string> dropped_edits_;
};

}  // namespace

Result<FixResult> fix_files(const AuditRequest& request, const FixOptions& options) {
  auto audit = run_audit(request);
  if (!audit) return audit.error();
  return Fixer{request, options, *std::move(audit)}.run();
}

}  // namespace weir::audit
