#include "audit/fix/fixer.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "audit/fix/apply.hpp"
#include "audit/fix/compile_gate.hpp"
#include "audit/fix/selection.hpp"
#include "audit/other/readers.hpp"
#include "audit/project/imported.hpp"
#include "base/atomic_file.hpp"
#include "base/text.hpp"

namespace weir::audit {
namespace {

namespace fs = std::filesystem;

constexpr int kMostRounds = 12;
constexpr int kMostUnexplained = 3;

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
    for (int round = 0; round < kMostRounds; ++round) {
      if (!mend_once(Claim::same_selection) && !mend_once(Claim::other_selection)) break;
    }
    check_compiling();
    FixOutcome outcome;
    for (auto& [path, file] : files_) {
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

  struct Round {
    std::map<const Module*, EditSet> edits;
    std::vector<const Finding*> mended;
  };

  /// One round over all files with edits of one kind; true if anything changed, or was found to change too much.
  bool mend_once(Claim claim) {
    Round round;
    for (const Finding& finding : audit_.findings) {
      const std::string path = finding.module->source.path().native();
      if (!is_wanted(finding, how_) || claim_of(finding) != claim || frozen_.contains(path)) continue;
      if (kept_.contains({path, std::string{finding.rule}})) continue;
      if (is_generated(finding.module->source) || !is_edited(finding.module->kind)) continue;
      if (is_link(finding)) continue;
      if (round.edits[finding.module].add(finding.edits)) round.mended.push_back(&finding);
    }
    std::map<std::string, std::string> changed;
    std::map<std::string, std::string> old;
    std::map<std::string, std::set<std::string>> rules;
    for (const Finding* finding : round.mended) {
      note_file(*finding);
      rules[finding->module->source.path().native()].emplace(finding->rule);
    }
    for (const auto& [module, set] : round.edits) {
      if (set.empty()) continue;
      const std::string path = module->source.path().native();
      auto after = mended_file(*module, set);
      if (!after) {
        files_.at(path).problem = after.error().what;
        frozen_.insert(path);
        continue;
      }
      old.emplace(path, std::string{module->source.file_text()});
      changed.emplace(path, *std::move(after));
    }
    if (changed.empty()) return false;
    const auto before = claim == Claim::same_selection ? selections(*audit_.project) : Selections{};
    replace(changed);
    if (claim == Claim::same_selection && !is_same_selection(before, rules)) {
      replace(old);
      return true;
    }
    for (auto& [path, text] : changed) {
      files_.at(path).after = text;
      auto& all = files_.at(path).rules;
      for (const std::string& rule : rules[path])
        if (std::find(all.begin(), all.end(), rule) == all.end()) all.push_back(rule);
    }
    return true;
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
      for (const auto& [path, mended] : rules) {
        if (!was.files.contains(path)) continue;
        bool explained = false;  // by an edit to a mask, which is left out from now on
        for (const std::string& rule : mended) {
          if (rule == "G01" || rule == "G02" || rule == "G07" || rule == "G10" || rule == "G24" || rule == "G26") {
            kept_.emplace(std::pair{path, rule}, program.substr(0, program.rfind('#')));
            explained = true;
          }
        }
        // Edits of other rules change no mask; should they all the same, the file stays as it is.
        if (!explained && ++others_[path] > kMostUnexplained) frozen_.insert(path);
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
      finding.advice += fmt::format("; not by itself, since {} would see other devices",
                                    printable(fs::path{found->second}.filename().native()));
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
  std::map<std::string, std::string> put_back_;
  std::set<std::string> frozen_;
  /// Edits that are left out, by file and rule, and the program that would see other devices.
  std::map<std::pair<std::string, std::string>, std::string> kept_;
  std::map<std::string, int> others_;  ///< rounds of a file that changed a selection by edits of other rules
};

}  // namespace

Result<FixOutcome> fix(const AuditRequest& request, const FixRequest& how) {
  auto audit = run_audit(request);
  if (!audit) return audit.error();
  return Mender{request, how, *std::move(audit)}.run();
}

}  // namespace weir::audit
