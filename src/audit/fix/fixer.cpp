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

constexpr int kMaxRounds = 12;  // number of rounds in one pass
constexpr int kMaxPasses = 4;   // a pass is a sequence of rounds; the next pass tries dropped edits again

/// Returns whether one of the first six lines marks the file as generated.
bool is_generated(const SourceFile& source) {
  for (std::uint32_t line = 1; line <= std::min(source.line_count(), 6U); ++line) {
    const std::string_view text = source.line(line);
    if (text.find("@generated") != std::string_view::npos || text.find("DO NOT EDIT") != std::string_view::npos)
      return true;
  }
  return false;
}

/// Returns whether the options allow the edits of the finding. `unsafe`: unsafe edits are allowed, too.
bool is_fixable(const Finding& finding, bool unsafe) {
  if (finding.suppressed || finding.edits.empty()) return false;
  return finding.fixability == Fixability::safe || (unsafe && finding.fixability == Fixability::unsafe);
}

/// Returns whether a permission bit allows somebody to write the file. A test by writing would not find read-only files
/// if the user is root.
bool may_be_written(const fs::path& path) {
  constexpr fs::perms kWriters = fs::perms::owner_write | fs::perms::group_write | fs::perms::others_write;
  std::error_code problem;
  const fs::file_status status = fs::status(path, problem);
  return !problem && (status.permissions() & kWriters) != fs::perms::none;
}

/// Runs the rounds of fix_files(), starting with the audit of the unchanged files.
class Fixer {
 public:
  Fixer(const AuditRequest& request, const FixOptions& options, AuditResult audit)
      : request_{request}, options_{options}, audit_{std::move(audit)} {}

  FixResult run() {
    apply_fixes(/*unsafe=*/false);
    if (options_.unsafe) {
      safely_fixed_ = files_;
      apply_fixes(/*unsafe=*/true);
    }
    check_compiling();
    FixResult result;
    for (auto& [path, file] : files_) {
      if (file.text_after == file.text_before && file.problem.empty())
        file.problem = rejections_[path];  // may be empty
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
  /// The intended effect of an edit on the devices that programs see: none, or that a program sees other devices.
  enum class Effect { same_selection, other_selection };

  static Effect intended_effect(const Finding& finding) {
    const bool selects = finding.rule == "G05" || finding.rule == "G11" || finding.rule == "G27" ||
                         finding.rule == "G28" || finding.rule == "G33" ||
                         (finding.rule == "G01" && finding.fixability == Fixability::unsafe);
    return selects ? Effect::other_selection : Effect::same_selection;
  }

  /// Runs passes until one of them changes no file or drops no edit, at most kMaxPasses. An edit that was dropped in
  /// one pass may succeed in the next. `unsafe`: unsafe edits are applied, too; run() does this after all safe edits,
  /// so that an unsafe edit never prevents a safe one.
  void apply_fixes(bool unsafe) {
    for (int pass = 0; pass < kMaxPasses; ++pass) {
      if (!run_pass(unsafe) || dropped_edits_.empty() || pass + 1 == kMaxPasses) break;
      dropped_edits_.clear();
    }
  }

  /// Runs one pass. Returns whether a file changed.
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

  /// Returns whether the next round applies the edits of the finding.
  bool is_due(const Finding& finding, bool unsafe, Effect effect) {
    const std::string path = finding.module->source.path().native();
    return is_fixable(finding, unsafe) && intended_effect(finding) == effect && !excluded_links_.contains(path) &&
           !dropped_edits_.contains({path, std::string{finding.rule}}) && !is_generated(finding.module->source) &&
           is_editable_kind(finding.module->kind) && !exclude_link(finding);
  }

  /// The files that one round edits, by path: whole texts, and the ids of the rules that are fixed.
  struct Round {
    std::map<std::string, std::string> before, after;
    std::map<std::string, std::set<std::string>> rules;
  };

  /// Computes the edited texts of a round.
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

  /// `nothing`: no edit was due. `changed`: the edits were applied. `reverted`: the edits were applied and undone
  /// again.
  enum class RoundResult { nothing, changed, reverted };

  /// Runs one round: applies the due edits with this effect in all files. If edits that must not change the devices
  /// that a program sees do so, the round is reverted.
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

  /// Returns whether the finding is in a symbolic link, and excludes the link from all later rounds. If the link's
  /// target is none of the audited files, the link gets a problem; otherwise only the target is fixed.
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
          fmt::format("is a link to {}, which is not one of the audited files", printable(target.native()));
    }
    excluded_links_.insert(path.native());
    return true;
  }

  using Selections = std::map<std::string, DeviceSelection>;

  /// Returns the rules whose edits are dropped first after a selection changed. These are the fixed rules about device
  /// numbers, from which a mask may be computed. If there are none, they are the fixed rules about masks; if there are
  /// none either, all fixed rules.
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

  /// Returns whether every program of the project sees the same devices as before this round. If a program does not,
  /// drops edits of the files that it loads: the next rounds of this pass do not apply them.
  bool check_selections(const Selections& before, const std::map<std::string, std::set<std::string>>& rules) {
    const Selections after = collect_selections(*audit_.project);
    bool same = true;
    for (const auto& [program, selection_before] : before) {
      const auto found = after.find(program);
      // A program without relevant events is missing in `after`; collect_selections() would return this text for it.
      const std::string masks_after = found == after.end() ? "--\n" : found->second.masks;
      if (masks_after == selection_before.masks) continue;
      same = false;
      const fs::path affected_program = program.substr(0, program.rfind('#'));
      const std::string advice_tail =
          fmt::format(", since {} would see other devices", printable(affected_program.filename().native()));
      for (const auto& [path, fixed_rules] : rules) {
        if (!selection_before.files.contains(path)) continue;
        for (const std::string& rule : rules_to_drop_first(fixed_rules))
          dropped_edits_.emplace(std::pair{path, rule}, advice_tail);
      }
    }
    return same;
  }

  /// Deletes the dropped edits from the findings of the last audit, and adds the reason to their advice.
  void explain_dropped_edits() {
    for (Finding& finding : audit_.findings) {
      const auto found = dropped_edits_.find({finding.module->source.path().native(), std::string{finding.rule}});
      if (found == dropped_edits_.end() || finding.edits.empty()) continue;
      finding.edits.clear();
      finding.fixability = Fixability::manual;
      finding.advice += "; no automatic fix" + found->second;
    }
  }

  /// Adds the finding's file to the result, unchanged, if it is not there yet.
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

  /// Replaces the texts of the files in `texts` (by path) in memory, and audits the project again.
  void replace_texts(const std::map<std::string, std::string>& texts) {
    audit_.findings.clear();
    auto modules = std::move(*audit_.project).take();
    for (Module& module : modules) {
      std::error_code problem;
      const fs::path& path = module.source.path();
      const bool is_link = fs::is_symlink(path, problem);
      const auto found = texts.find(is_link ? fs::weakly_canonical(path, problem).native() : path.native());
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

  /// Audits again with the texts of the files that lost edits after the last round.
  void audit_restored_files() {
    std::map<std::string, std::string> texts;
    for (const auto& file : restored_texts_) texts.emplace(file.first, file.second);
    if (!texts.empty()) replace_texts(texts);
  }

  /// Undoes all edits of a file with a problem.
  void restore(FixedFile& file) {
    file.text_after = file.text_before;
    restored_texts_.insert_or_assign(file.path.native(), file.text_before);
  }

  /// Checks that Python files still compile. If a file with unsafe edits does not, only its safe edits stay.
  void check_compiling() {
    std::vector<FixedFile*> edited;
    for (auto& [path, file] : files_)
      if (file.problem.empty() && file.text_after != file.text_before) edited.push_back(&file);
    std::vector<FixedFile*> reset_files;  // those that lost their unsafe edits
    for (FixedFile* const file : not_compiling(edited)) {
      const auto safe = safely_fixed_.find(file->path.native());
      if (safe == safely_fixed_.end() || safe->second.text_after == file->text_after ||
          safe->second.text_after == file->text_before) {
        file->problem = "does not compile after the edit";
        continue;
      }
      *file = safe->second;
      restored_texts_.emplace(file->path.native(), file->text_after);
      reset_files.push_back(file);
    }
    for (FixedFile* const file : not_compiling(reset_files)) file->problem = "does not compile after the edit";
  }

  /// Returns those of the files that compiled before their edits and do not after them.
  static std::vector<FixedFile*> not_compiling(const std::vector<FixedFile*>& files) {
    std::vector<FixedFile*> checked;
    std::vector<EditedCode> codes;
    for (FixedFile* const file : files) {
      EditedCode code{python_code_of(*file, file->text_before), python_code_of(*file, file->text_after)};
      if (code.text_before.empty()) continue;
      checked.push_back(file);
      codes.push_back(std::move(code));
    }
    const std::vector<bool> passes = check_compilation(codes);
    std::vector<FixedFile*> failed;
    for (std::size_t i = 0; i < checked.size(); ++i)
      if (!passes[i]) failed.push_back(checked[i]);
    return failed;
  }

  /// Returns the Python code of a file or notebook; empty for other languages.
  static std::string python_code_of(const FixedFile& file, const std::string& text) {
    if (file.kind == FileKind::python) return text;
    if (file.kind != FileKind::notebook) return {};
    const auto code = extract_notebook_code(SourceFile{file.path, file.name, text});
    return code ? std::string{code->text()} : std::string{};
  }

  /// Writes the file, unless this is a dry run. Stores an error in `problem` of the file.
  void write(FixedFile& file) const {
    if (auto written = replace_file(file); !written) file.problem = written.error().what;
  }

  Status replace_file(const FixedFile& file) const {
    const auto current = SourceFile::read(file.path, file.name);
    if (!current) return current.error();
    if (current->text() != file.text_before) return Error{Errc::io, "was changed by another program during the fix"};
    if (!may_be_written(file.path)) return Error{Errc::io, "is read-only"};
    if (!options_.write) return ok();  // a dry run makes the same checks, so that it reports the same problems
    if (options_.backup) {
      if (auto kept = write_file(file.path.native() + ".orig", file.text_before, /*overwrite=*/false); !kept)
        return kept.error();
    }
    return write_file(file.path, file.text_after, /*overwrite=*/true);
  }

  const AuditRequest& request_;
  const FixOptions& options_;
  AuditResult audit_;
  std::map<std::string, FixedFile> files_;             ///< the files of the result, by path
  std::map<std::string, FixedFile> safely_fixed_{};    ///< the files before the first unsafe edit
  std::map<std::string, std::string> restored_texts_;  ///< by path: texts of files that lost edits after the last round
  std::set<std::string> excluded_links_;               ///< paths of symbolic links, which are never edited
  std::map<std::string, std::string> rejections_{};    ///< by path: why the last rejected edit was rejected
  /// By path and rule id: why the edits of such findings are not applied, as the end of the sentence "no automatic
  /// fix".
  std::map<std::pair<std::string, std::string>, std::string> dropped_edits_;
};

}  // namespace

Result<FixResult> fix_files(const AuditRequest& request, const FixOptions& options) {
  auto audit = run_audit(request);
  if (!audit) return audit.error();
  return Fixer{request, options, *std::move(audit)}.run();
}

}  // namespace weir::audit
