#include <algorithm>
#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <mutex>
#include <thread>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "audit/campaign/campaign.hpp"
#include "audit/fix/fixer.hpp"
#include "audit/run_command.hpp"
#include "base/atomic_file.hpp"
#include "base/text.hpp"

namespace weir::audit {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

struct Texts {
  std::string before, after;
};

/// The texts of all files of the plan, made once from the base.
Result<std::map<std::string, Texts>> mended_texts(const CampaignRequest& request, const Campaign& campaign,
                                                  const fs::path& top) {
  AuditRequest audit = request.audit;
  audit.operands = campaign.operands;
  audit.select = campaign.select;
  audit.ignore = campaign.ignore;
  const auto fixed = fix(audit, {.unsafe = campaign.unsafe, .write = false});
  if (!fixed) return fixed.error();
  std::map<std::string, Texts> texts;
  for (const FixedFile& file : fixed->files)
    texts.emplace(file.path.lexically_relative(top).native(), Texts{file.before, file.after});
  return texts;
}

std::string shell_quoted(std::string_view text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string{"'\\''"} : std::string{c};
  return out + "'";
}

std::string with_file(std::string command, const std::string& path) {
  const std::string quoted = shell_quoted(path);
  for (std::size_t at = command.find("{file}"); at != std::string::npos;
       at = command.find("{file}", at + quoted.size()))
    command.replace(at, 6, quoted);
  return command;
}

/// One worker: a worktree, a branch, and the files of one shard one after the other.
class Worker {
 public:
  /// `note_time` saves how long the campaign has run; it is called after each file, from any thread.
  Worker(const CampaignRequest& request, const Campaign& campaign, const std::map<std::string, Texts>& texts,
         fs::path tree, Shard& shard, const std::function<Status()>& note_time)
      : request_{request},
        campaign_{campaign},
        texts_{texts},
        tree_{std::move(tree)},
        shard_{shard},
        note_time_{note_time} {}

  Status run() {
    for (CampaignFile& file : shard_.files) {
      if (request_.stop.stop_requested())
        return Error{Errc::cancelled, "interrupted; 'weir audit run' goes on where it was"};
      if (file.state != "planned") continue;
      const auto begin = Clock::now();
      if (auto done = mend(file); !done) return done.error();
      file.seconds = std::chrono::duration<double>(Clock::now() - begin).count();
      if (auto saved = save_shard(shard_); !saved) return saved.error();
      if (auto noted = note_time_(); !noted) return noted.error();
      request_.tell(fmt::format("{}: {} {}{}", shard_.name, file.state, printable(file.path),
                                file.reason.empty() ? "" : ": " + file.reason));
    }
    return ok();
  }

 private:
  Result<CommandEnded> check(const std::string& command) const {
    return run_command({.words = {"/bin/sh", "-c", command}, .folder = tree_, .limit = std::chrono::seconds{3600}});
  }

  /// Runs a check on the text before and the one after; empty if both do the same.
  Result<std::string> compare(const std::string& command, const CampaignFile& file, const Texts& texts) const {
    if (command.empty()) return std::string{};
    const fs::path path = tree_ / file.path;
    if (auto put = write_file(path, texts.before); !put) return put.error();
    const auto before = check(command);
    if (!before) return before.error();
    if (auto put = write_file(path, texts.after); !put) return put.error();
    const auto after = check(command);
    if (!after) return after.error();
    if (before->status != after->status)
      return fmt::format("'{}' ended with {} before and {} after", printable(command), before->status, after->status);
    if (before->output != after->output) return fmt::format("'{}' prints something else", printable(command));
    return std::string{};
  }

  /// Paired runs, before and after in turn, so that a machine that slows down slows both.
  Status measure(CampaignFile& file, const Texts& texts) const {
    std::vector<double> ratios;
    const std::string command = with_file(campaign_.check, file.path);
    for (int i = 0; i < campaign_.pairs && !campaign_.check.empty(); ++i) {
      if (auto put = write_file(tree_ / file.path, texts.before); !put) return put;
      const auto before = check(command);
      if (auto put = write_file(tree_ / file.path, texts.after); !put) return put;
      const auto after = check(command);
      if (before && after) ratios.push_back(after->time.count() / std::max(before->time.count(), 1e-6) - 1);
    }
    if (ratios.empty()) return ok();
    std::sort(ratios.begin(), ratios.end());
    file.slower = ratios[ratios.size() / 2];
    file.spread = (ratios[ratios.size() * 3 / 4] - ratios[ratios.size() / 4]) / 2;
    return ok();
  }

  Status put_back(CampaignFile& file, std::string reason) const {
    file.state = "put back";
    file.reason = std::move(reason);
    const auto restored = git({"checkout", "--", file.path}, tree_);
    return restored ? ok() : Status{restored.error()};
  }

  Status mend(CampaignFile& file) const {
    const auto found = texts_.find(file.path);
    const auto now = SourceFile::read(tree_ / file.path, file.path);
    if (found == texts_.end()) return put_back(file, "has nothing to mend any more");
    const Texts& texts = found->second;
    // An interruption between the commit and the note of it: the work is there.
    if (now && now->text() == texts.after) return note_commit(file);
    if (!now || now->text() != texts.before) return put_back(file, "is not what the plan was made from");
    for (const std::string& command : {with_file(campaign_.check, file.path), campaign_.tests}) {
      const auto difference = compare(command, file, texts);
      if (!difference) return difference.error();
      if (!difference->empty()) return put_back(file, *difference);
    }
    if (auto timed = measure(file, texts); !timed) return timed;
    if (auto put = write_file(tree_ / file.path, texts.after); !put) return put;
    const std::string message = fmt::format("weir audit: {} in {}", fmt::join(file.rules, ", "), file.path);
    if (const auto done = git({"commit", "-q", "-m", message, "--", file.path}, tree_); !done) return done.error();
    return note_commit(file);
  }

  Status note_commit(CampaignFile& file) const {
    const auto commit = git({"log", "-1", "--format=%H", "--", file.path}, tree_);
    if (!commit) return commit.error();
    file.state = "mended";
    file.commit = first_line(*commit);
    return ok();
  }

  const CampaignRequest& request_;
  const Campaign& campaign_;
  const std::map<std::string, Texts>& texts_;
  fs::path tree_;
  Shard& shard_;
  const std::function<Status()>& note_time_;
};

/// A worktree on a branch of its own; what an interruption left half done in it is undone.
Status prepare_tree(const fs::path& tree, const std::string& branch, const std::string& base) {
  std::error_code problem;
  (void)git({"worktree", "prune"});
  if (fs::exists(tree / ".git", problem)) {
    const auto folder = git({"rev-parse", "--absolute-git-dir"}, tree);
    if (folder) fs::remove(fs::path{first_line(*folder)} / "index.lock", problem);  // of a git of ours that was killed
    const auto reset = git({"reset", "-q", "--hard"}, tree);
    return reset ? ok() : Status{reset.error()};
  }
  const bool known = static_cast<bool>(git({"rev-parse", "-q", "--verify", "refs/heads/" + branch}));
  const auto added = known ? git({"worktree", "add", "-f", tree.native(), branch})
                           : git({"worktree", "add", "-f", "-b", branch, tree.native(), base});
  return added ? ok() : Status{added.error()};
}

/// One branch with all of them. The shards share no file, so nothing can conflict.
Status merge_all(const Campaign& campaign, const fs::path& folder) {
  const fs::path tree = folder / "worktrees" / "all";
  if (auto ready = prepare_tree(tree, "weir/all", campaign.base); !ready) return ready;
  for (const Shard& shard : campaign.shards) {
    const auto merged = git({"merge", "-q", "--no-edit", "weir/" + shard.name}, tree);
    if (!merged) return merged.error();
  }
  return ok();
}

void remove_trees(const Campaign& campaign, const fs::path& folder) {
  for (const Shard& shard : campaign.shards)
    (void)git({"worktree", "remove", "--force", (folder / "worktrees" / shard.name).native()});
  (void)git({"worktree", "remove", "--force", (folder / "worktrees" / "all").native()});
}

Status work(const CampaignRequest& request, Campaign& campaign, const std::map<std::string, Texts>& texts,
            const fs::path& folder, Clock::time_point begin) {
  for (const Shard& shard : campaign.shards) {
    if (auto ready = prepare_tree(folder / "worktrees" / shard.name, "weir/" + shard.name, campaign.base); !ready)
      return ready;
  }
  std::atomic<std::size_t> next{0};
  std::mutex guard;
  Status result = ok();
  // A run that is killed has taken its time, too.
  const double earlier = campaign.wall_seconds;
  const std::function<Status()> note_time = [&] {
    const std::lock_guard lock{guard};
    campaign.wall_seconds = earlier + std::chrono::duration<double>(Clock::now() - begin).count();
    return save_plan(campaign);
  };
  const auto work_on = [&] {
    for (std::size_t i = next++; i < campaign.shards.size(); i = next++) {
      Shard& shard = campaign.shards[i];
      auto done = Worker{request, campaign, texts, folder / "worktrees" / shard.name, shard, note_time}.run();
      const std::lock_guard lock{guard};
      if (!done && result) result = std::move(done);
    }
  };
  {
    std::vector<std::jthread> team;
    for (int i = 1; i < std::clamp(request.jobs, 1, 10); ++i) team.emplace_back(work_on);
    work_on();
  }
  return result;
}

}  // namespace

Result<Campaign> run_campaign(const CampaignRequest& request) {
  auto campaign = load_campaign();
  if (!campaign) return campaign.error();
  const auto folder = campaign_folder();
  const auto top = git({"rev-parse", "--show-toplevel"});
  const auto head = git({"rev-parse", "HEAD"});
  if (!folder || !top || !head) return Error{Errc::invalid_argument, "this is no git repository"};
  if (first_line(*head) != campaign->base)
    return Error{Errc::invalid_argument,
                 fmt::format("the plan was made from {}; check that out, or plan again", campaign->base.substr(0, 12))};
  if (verdict_of(*campaign).planned == 0) return campaign;
  const auto begin = Clock::now();
  const auto texts = mended_texts(request, *campaign, first_line(*top));
  if (!texts) return texts.error();
  const double earlier = campaign->wall_seconds;
  auto worked = work(request, *campaign, *texts, *folder, begin);
  campaign->wall_seconds = earlier + std::chrono::duration<double>(Clock::now() - begin).count();
  if (auto saved = save_plan(*campaign); !saved) return saved.error();
  if (!worked) return worked.error();
  if (auto merged = merge_all(*campaign, *folder); !merged) return merged.error();
  remove_trees(*campaign, *folder);
  return campaign;
}

}  // namespace weir::audit
