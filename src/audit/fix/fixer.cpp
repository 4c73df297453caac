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
#include "audit/project/imported.hpp"
#include "base/atomic_file.hpp"
#include "base/text.hpp"

namespace weir::audit {
namespace {

namespace fs = std::filesystem;

constexpr int kMostRounds = 12;
constexpr int kMostPasses = 4;

bool is_generated(const SourceFile& source) {
  for (std::uint32_t line = 1; line <= std::min(source.lines(), 6U); ++line) {
    const std::string_view text = source.line(line);
    if (text.find("@generated") != std::string_view::npos || text.find("DO NOT EDIT") != std::string_view::npos)
      return true;
  }
  return false;
}

bool is_wanted(const Finding& finding, bool unsafe) {
  if (finding.suppressed || finding.edits.empty()) return false;
  return finding.fixing == Fixing::safe || (unsafe && finding.fixing == Fixing::unsafe);
}

/// By somebody: root may write what nobody is meant to.
bool may_be_written(const fs::path& path) {
  constexpr fs::perms kWriters = fs::perms::owner_write | fs::perms::group_write | fs::perms::others_write;
  std::error_code problem;
  const fs::file_status status = fs::status(path, problem);
  return !problem && (status.permissions() & kWriters) != fs::perms::none;
}

class Mender {
 public:
  Mender(const AuditRequest& request, const FixRequest& how, Audit audit)
      : request_{request}, how_{how}, audit_{std::move(audit)} {}

  FixOutcome run() {
    mend(false);
    if (how_.unsafe) {
      safe_ = files_;
      mend(true);
    }
    check_compiling();
    FixOutcome outcome;
    for (auto& [path, file] : files_) {
      if (file.after == file.before && file.problem.empty()) file.problem = refusals_[path];
      if (file.problem.empty() && file.after != file.before) write(file);
      if (!file.problem.empty()) put_back(file);
      outcome.files.push_back(std::move(file));
    }
    judge_again();
    say_what_is_kept();
    outcome.after = std::move(audit_);
    return outcome;
  }

 private:
  /// What an edit says of the devices that programs see.
  enum class Claim { same_selection, other_selection };

  static Claim claim_of(const Finding& finding) {
    const bool selects = finding.rule == "G05" || finding.rule == "G11" || finding.rule == "G27" ||
                         finding.rule == "G28" || finding.rule == "G33" ||
                         (finding.rule == "G01" && finding.fixing == Fixing::unsafe);
    return selects ? Claim::other_selection : Claim::same_selection;
  }

  /// What may change the program comes behind all that may not: so it takes nothing of that away. An edit that was left out may do
  /// after others, as it would in a second run.
  void mend(bool unsafe) {
    for (int pass = 0; pass < kMostPasses; ++pass) {
      if (!mend_in_rounds(unsafe) || kept_.empty() || pass + 1 == kMostPasses) break;
      kept_.clear();
    }
  }

  /// True if anything changed.
  bool mend_in_rounds(bool unsafe) {
    bool changed = false;
    for (int round = 0; round < kMostRounds; ++round) {
      const Outcome same = mend_once(unsafe, Claim::same_selection);
      const Outcome other = same == Outcome::nothing ? mend_once(unsafe, Claim::other_selection) : Outcome::nothing;
      if (same == Outcome::nothing && other == Outcome::nothing) break;
      changed = changed || same == Outcome::changed || other == Outcome::changed;
    }
    return changed;
  }

  bool is_due(const Finding& finding, bool unsafe, Claim claim) {
    const std::string path = finding.module->source.path().native();
    return is_wanted(finding, unsafe) && claim_of(finding) == claim && !frozen_.contains(path) &&
           !kept_.contains({path, std::string{finding.rule}}) && !is_generated(finding.module->source) &&
           is_edited(finding.module->kind) && !is_link(finding);
  }

  /// What one round makes of the files, by path.
  struct Round {
    std::map<std::string, std::string> before, after;
    std::map<std::string, std::set<std::string>> rules;
  };

  Round edited_once(bool unsafe, Claim claim) {
    std::map<const Module*, std::vector<const Finding*>> due;
    for (const Finding& finding : audit_.findings)
      if (is_due(finding, unsafe, claim)) due[finding.module].push_back(&finding);
    Round round;
    for (const auto& [module, findings] : due) {
      const std::string path = module->source.path().native();
      note_file(*findings.front());
      JointEdits joint = edited_together(*module, findings);
      for (const auto& [finding, why] : joint.refused) {
        refusals_[path] = why;
        kept_.emplace(std::pair{path, std::string{finding->rule}}, ": " + why);
      }
      if (!joint.after) continue;
      round.before.emplace(path, std::string{module->source.file_text()});
      round.after.emplace(path, *std::move(joint.after));
      for (const Finding* finding : joint.done) round.rules[path].emplace(finding->rule);
    }
    return round;
  }

  enum class Outcome { nothing, changed, taken_back };

  /// One round over all files with edits of one kind.
  Outcome mend_once(bool unsafe, Claim claim) {
    const Round round = edited_once(unsafe, claim);
    if (round.after.empty()) return Outcome::nothing;
    const auto before = claim == Claim::same_selection ? selections(*audit_.project) : Selections{};
    replace(round.after);
    if (claim == Claim::same_selection && !is_same_selection(before, round.rules)) {
      replace(round.before);
      return Outcome::taken_back;
    }
    for (const auto& [path, text] : round.after) {
      FixedFile& file = files_.at(path);
      file.after = text;
      for (const std::string& rule : round.rules.at(path))
        if (std::find(file.rules.begin(), file.rules.end(), rule) == file.rules.end()) file.rules.push_back(rule);
    }
    return Outcome::changed;
  }

  /// A symbolic link stays one: its target is mended, once, where it is one of the files; a link to anything else is left and told.
  bool is_link(const Finding& finding) {
    const fs::path& path = finding.module->source.path();
    std::error_code problem;
    if (!fs::is_symlink(path, problem)) return false;
    const fs::path target = fs::weakly_canonical(path, problem);
    const auto& modules = audit_.project->modules();
    const bool is_ours = std::any_of(modules.begin(), modules.end(),
                                     [&](const Module& module) { return module.source.path() == target; });
    if (!is_ours) {
      note_file(finding);
      files_.at(path.native()).problem =
          fmt::format("is a link to {}, which is none of the files", printable(target.native()));
    }
    frozen_.insert(path.native());
    return true;
  }

  using Selections = std::map<std::string, Selection>;

  /// The edits to leave out first where a selection changed: those of numbers, which a mask may be made of, too; then those of masks;
  /// then all others.
  static std::set<std::string> suspects_among(const std::set<std::string>& mended) {
    const std::set<std::string> numbers{"G08", "G09", "G18"};
    const std::set<std::string> masks{"G01", "G02", "G07", "G10", "G24", "G26"};
    for (const auto& rules : {numbers, masks}) {
      std::set<std::string> found;
      std::set_intersection(rules.begin(), rules.end(), mended.begin(), mended.end(),
                            std::inserter(found, found.end()));
      if (!found.empty()) return found;
    }
    return mended;
  }

  /// Every program of the project sees the devices that it saw before this round. Where one does not, the edits to masks of the
  /// files that it runs are left out from now on.
  bool is_same_selection(const Selections& before, const std::map<std::string, std::set<std::string>>& rules) {
    const Selections after = selections(*audit_.project);
    bool same = true;
    for (const auto& [program, was] : before) {
      const auto is = after.find(program);
      // A program with nothing left that matters has no masks.
      const std::string now = is == after.end() ? "--\n" : is->second.masks;
      if (now == was.masks) continue;
      same = false;
      const fs::path seen_by = program.substr(0, program.rfind('#'));
      const std::string why = fmt::format(", since {} would see other devices", printable(seen_by.filename().native()));
      for (const auto& [path, mended] : rules) {
        if (!was.files.contains(path)) continue;
        for (const std::string& rule : suspects_among(mended)) kept_.emplace(std::pair{path, rule}, why);
      }
    }
    return same;
  }

  /// The findings whose edits were left out say why.
  void say_what_is_kept() {
    for (Finding& finding : audit_.findings) {
      const auto found = kept_.find({finding.module->source.path().native(), std::string{finding.rule}});
      if (found == kept_.end() || finding.edits.empty()) continue;
      finding.edits.clear();
      finding.fixing = Fixing::manual;
      finding.advice += "; not by itself" + found->second;
    }
  }

  void note_file(const Finding& finding) {
    const SourceFile& source = finding.module->source;
    const auto [at, fresh] = files_.try_emplace(source.path().native());
    if (fresh)
      at->second = {.name = source.name(),
                    .path = source.path(),
                    .kind = finding.module->kind,
                    .before = std::string{source.file_text()},
                    .after = std::string{source.file_text()}};
  }

  void replace(const std::map<std::string, std::string>& texts) {
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
      again->entry_point = again->entry_point || request_.policy.names_program(module.source.name());
      module = *std::move(again);
    }
    audit_.project = linked_project(std::move(modules));
    audit_.findings = judge_wanted(*audit_.project, request_);
  }

  void judge_again() {
    std::map<std::string, std::string> texts;
    for (const auto& file : put_back_) texts.emplace(file.first, file.second);
    if (!texts.empty()) replace(texts);
  }

  void put_back(FixedFile& file) {
    file.after = file.before;
    put_back_.insert_or_assign(file.path.native(), file.before);
  }

  /// The last gate. Where the unsafe edits do not pass it, the others stay.
  void check_compiling() {
    std::vector<FixedFile*> asked;
    for (auto& [path, file] : files_)
      if (file.problem.empty() && file.after != file.before) asked.push_back(&file);
    std::vector<FixedFile*> again;
    for (FixedFile* const file : not_compiling(asked)) {
      const auto safe = safe_.find(file->path.native());
      if (safe == safe_.end() || safe->second.after == file->after || safe->second.after == file->before) {
        file->problem = "does not compile after the edit";
        continue;
      }
      *file = safe->second;
      put_back_.emplace(file->path.native(), file->after);
      again.push_back(file);
    }
    for (FixedFile* const file : not_compiling(again)) file->problem = "does not compile after the edit";
  }

  static std::vector<FixedFile*> not_compiling(const std::vector<FixedFile*>& files) {
    std::vector<FixedFile*> asked;
    std::vector<EditedCode> codes;
    for (FixedFile* const file : files) {
      EditedCode code{python_of(*file, file->before), python_of(*file, file->after)};
      if (code.before.empty()) continue;
      asked.push_back(file);
      codes.push_back(std::move(code));
    }
    const std::vector<bool> good = still_compile(codes);
    std::vector<FixedFile*> bad;
    for (std::size_t i = 0; i < asked.size(); ++i)
      if (!good[i]) bad.push_back(asked[i]);
    return bad;
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
    if (!may_be_written(file.path)) return Error{Errc::io, "is read-only"};
    if (!how_.write) return ok();  // what would be left is left out of what would be done
    if (how_.backup) {
      if (auto kept = write_file(file.path.native() + ".orig", file.before, false); !kept) return kept.error();
    }
    return write_file(file.path, file.after, true);
  }

  const AuditRequest& request_;
  const FixRequest& how_;
  Audit audit_;
  std::map<std::string, FixedFile> files_;
  std::map<std::string, FixedFile> safe_{};  ///< the same before the first unsafe edit
  std::map<std::string, std::string> put_back_;
  std::set<std::string> frozen_;
  std::map<std::string, std::string> refusals_{};  ///< by file: why an edit of it was left out
  /// Edits that are left out, by file and rule, and why.
  std::map<std::pair<std::string, std::string>, std::string> kept_;
};

}  // namespace

Result<FixOutcome> fix(const AuditRequest& request, const FixRequest& how) {
  auto audit = run_audit(request);
  if (!audit) return audit.error();
  return Mender{request, how, *std::move(audit)}.run();
}

}  // namespace weir::audit
