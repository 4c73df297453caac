#include "audit/campaign/worker.hpp"

#include <algorithm>
#include <chrono>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "audit/run_program.hpp"
#include "base/atomic_file.hpp"
#include "base/text.hpp"

// The work on one shard: each file is edited, checked, measured, and committed or restored.

namespace weir::audit {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

/// Returns the check as a script for `sh -c SCRIPT sh FILE`: {file} becomes "${1}", the script's first argument, quoted
/// for its position (plain, or between quotes). The file name is never part of the script, so any characters in it are
/// safe.
std::string to_script(std::string_view check) {
  constexpr std::string_view kPlaceholder = "{file}";
  std::string script;
  char quote = 0;  // the quotation mark that encloses the current character; 0: none
  for (std::size_t at = 0; at < check.size(); ++at) {
    if (check.substr(at).starts_with(kPlaceholder)) {
      script += quote == '"' ? "${1}" : quote == '\'' ? "'\"${1}\"'" : "\"${1}\"";
      at += kPlaceholder.size() - 1;
      continue;
    }
    const char c = check[at];
    script += c;
    if (c == '\\' && quote != '\'' && at + 1 < check.size())
      script += check[++at];  // the backslash escapes the next character
    else if (quote == 0 && (c == '"' || c == '\''))
      quote = c;
    else if (c == quote)
      quote = 0;
  }
  return script;
}

/// One worker. It processes the files of one shard one after the other in its worktree and on its branch.
class Worker {
 public:
  Worker(const CampaignContext& context, Shard& shard)
      : context_{context}, shard_{shard}, tree_{context.folder / "worktrees" / shard.name} {}

  Status run() {
    const auto& files = shard_.files;
    if (std::none_of(files.begin(), files.end(), [](const CampaignFile& file) { return file.state == "planned"; }))
      return ok();
    if (auto ready = prepare(); !ready) return ready;
    for (CampaignFile& file : shard_.files) {
      if (context_.request.stop.stop_requested())
        return Error{Errc::cancelled, "interrupted; 'weir audit run' continues with the next file"};
      if (file.state != "planned") continue;
      const auto begin = Clock::now();
      if (auto done = fix_file(file); !done) return done.error();
      file.seconds = std::chrono::duration<double>(Clock::now() - begin).count();
      if (auto saved = save_shard(context_.folder, shard_); !saved) return saved.error();
      if (auto noted = context_.save_duration(); !noted) return noted.error();
      context_.request.on_message(fmt::format("{}: {} {}{}", shard_.name, file.state, printable(file.path),
                                              file.reason.empty() ? "" : ": " + file.reason));
    }
    return ok();
  }

 private:
  Status prepare() const {
    const std::lock_guard lock{context_.worktree_mutex};
    return prepare_worktree(tree_, branch_name(shard_), context_.campaign.base);
  }

  Result<ProgramResult> check(const std::string& command, const fs::path& file) const {
    return run_program({.arguments = {"/bin/sh", "-c", to_script(command), "sh", file.native()},
                        .folder = tree_,
                        .time_limit = context_.request.check_time_limit});
  }

  /// Returns the reason for restoring a file on which a run of the check exceeded its time limit.
  std::string timeout_reason(const std::string& command) const {
    const auto limit = std::chrono::ceil<std::chrono::minutes>(context_.request.check_time_limit);
    return fmt::format("'{}' does not end within {} minutes", printable(command), limit.count());
  }

  /// Runs a check on the file before and after its edit. Returns why the edit fails the check: how the results differ,
  /// or that a run exceeded its time limit. Empty if the results do not differ, or if the difference is no defect of
  /// the edit.
  Result<std::string> compare(const std::string& command, const CampaignFile& file, const EditedText& texts) const {
    if (command.empty()) return std::string{};
    const fs::path path = tree_ / file.path;
    if (auto written = write_file(path, texts.text_before); !written) return written.error();
    const auto before = check(command, file.path);
    if (!before) return before.error();
    if (auto written = write_file(path, texts.text_after); !written) return written.error();
    const auto after = check(command, file.path);
    if (!after) return after.error();
    if (before->timed_out || after->timed_out) return timeout_reason(command);
    // A check that failed before and passes now is an improvement.
    if (before->exit_status != 0 && after->exit_status == 0) return std::string{};
    if (before->exit_status != after->exit_status)
      return fmt::format("'{}' ended with {} before and {} after", printable(command), before->exit_status,
                         after->exit_status);
    if (before->output == after->output) return std::string{};
    // The output may contain times and addresses, which differ even between two runs on the same text. If two runs on
    // the old text differ, the output proves nothing.
    if (auto written = write_file(path, texts.text_before); !written) return written.error();
    const auto again = check(command, file.path);
    if (!again) return again.error();
    if (again->timed_out) return timeout_reason(command);
    if (again->output != before->output) return std::string{};
    return fmt::format("'{}' prints something else", printable(command));
  }

  /// Measures the slowdown. Runs the check on both texts alternately, so that a change of the machine's speed affects
  /// both. Returns the reason for restoring the file if a run exceeded its time limit: its duration is the limit and no
  /// measurement. Otherwise returns an empty text.
  Result<std::string> measure(CampaignFile& file, const EditedText& texts) const {
    std::vector<double> ratios;
    const std::string& command = context_.campaign.check_command;
    for (int i = 0; i < context_.campaign.pair_count && !command.empty(); ++i) {
      if (auto written = write_file(tree_ / file.path, texts.text_before); !written) return written.error();
      const auto before = check(command, file.path);
      if (auto written = write_file(tree_ / file.path, texts.text_after); !written) return written.error();
      const auto after = check(command, file.path);
      if (!before || !after) continue;
      if (before->timed_out || after->timed_out) return timeout_reason(command);
      ratios.push_back(after->duration.count() / std::max(before->duration.count(), 1e-6) - 1);
    }
    if (ratios.empty()) return std::string{};
    std::sort(ratios.begin(), ratios.end());
    file.slowdown = ratios[ratios.size() / 2];  // the median
    file.slowdown_spread = (ratios[ratios.size() * 3 / 4] - ratios[ratios.size() / 4]) / 2;
    return std::string{};
  }

  /// Restores the file and records the reason.
  Status put_back(CampaignFile& file, std::string reason) const {
    file.state = "put back";
    file.reason = std::move(reason);
    const auto restored = run_git({"checkout", "--", file.path}, tree_);
    return restored ? ok() : Status{restored.error()};
  }

  /// Checks, edits and commits one file, or puts it back.
  Status fix_file(CampaignFile& file) const {
    const auto found = context_.texts.find(file.path);
    const auto current = SourceFile::read(tree_ / file.path, file.path);
    if (found == context_.texts.end()) return put_back(file, "has nothing left to fix");
    const EditedText& texts = found->second;
    // An earlier run committed the file, and was interrupted before it recorded the commit.
    if (current && current->text() == texts.text_after)
      return record_commit(file, run_git({"log", "-1", "--format=%H", "--", file.path}, tree_));
    if (!current || current->text() != texts.text_before) return put_back(file, "was changed after the plan was made");
    for (const std::string& command : {context_.campaign.check_command, context_.campaign.test_command}) {
      const auto difference = compare(command, file, texts);
      if (!difference) return difference.error();
      if (!difference->empty()) return put_back(file, *difference);
    }
    const auto timeout = measure(file, texts);
    if (!timeout) return timeout.error();
    if (!timeout->empty()) return put_back(file, *timeout);
    if (auto written = write_file(tree_ / file.path, texts.text_after); !written) return written;
    const std::string message = fmt::format("weir audit: {} in {}", fmt::join(file.rules, ", "), file.path);
    if (const auto done = run_git({"commit", "-q", "-m", message, "--", file.path}, tree_); !done) return done.error();
    return record_commit(file, run_git({"rev-parse", "HEAD"}, tree_));
  }

  static Status record_commit(CampaignFile& file, const Result<std::string>& commit) {
    if (!commit) return commit.error();
    file.state = "fixed";
    file.commit = first_line(*commit);
    return ok();
  }

  const CampaignContext& context_;
  Shard& shard_;
  fs::path tree_;  ///< folder of the worktree
};

}  // namespace

Status prepare_worktree(const fs::path& tree, const std::string& branch, const std::string& base) {
  std::error_code problem;
  if (fs::exists(tree / ".git", problem)) {
    const auto folder = run_git({"rev-parse", "--absolute-git-dir"}, tree);
    if (folder)
      fs::remove(fs::path{first_line(*folder)} / "index.lock", problem);  // left behind by a killed git of
                                                                          // this campaign
    const auto reset = run_git({"reset", "-q", "--hard"}, tree);
    return reset ? ok() : Status{reset.error()};
  }
  const bool branch_exists = static_cast<bool>(run_git({"rev-parse", "-q", "--verify", "refs/heads/" + branch}));
  if (branch_exists && !is_campaign_branch(branch, base))
    return Error{
        Errc::invalid_argument,
        fmt::format("the branch {0} exists and is not of this campaign; 'git branch -m {0} NAME' renames it", branch)};
  // The branch is marked before it is created, so that an interruption never leaves an unmarked branch.
  if (auto noted = branch_exists ? ok() : mark_campaign_branch(branch, base); !noted) return noted;
  const auto added = branch_exists ? run_git({"worktree", "add", "-f", tree.native(), branch})
                                   : run_git({"worktree", "add", "-f", "-b", branch, tree.native(), base});
  return added ? ok() : Status{added.error()};
}

Status process_shard(const CampaignContext& context, Shard& shard) { return Worker{context, shard}.run(); }

}  // namespace weir::audit
