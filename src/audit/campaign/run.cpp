#include <algorithm>
#include <atomic>
#include <chrono>
#include <functional>
#include <mutex>

#include <fmt/format.h>

#include "audit/campaign/campaign.hpp"
#include "audit/campaign/worker.hpp"
#include "audit/fix/fixer.hpp"
#include "base/threads.hpp"

// The run of a campaign: starts the work on all shards (worker.hpp) and merges their branches.

namespace weir::audit {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

/// Computes the edited texts of all files of the plan from the files in the working tree, which is at the base commit.
Result<EditedTexts> edited_texts(const CampaignRequest& request, const Campaign& campaign, const fs::path& top) {
  AuditRequest audit = request.audit;
  audit.operands = campaign.operands;
  audit.select = campaign.select;
  audit.ignore = campaign.ignore;
  const auto fixed = fix_files(audit, {.unsafe = campaign.unsafe, .write = false});
  if (!fixed) return fixed.error();
  EditedTexts texts;
  for (const FixedFile& file : fixed->files)
    texts.emplace(file.path.lexically_relative(top).native(), EditedText{file.text_before, file.text_after});
  return texts;
}

/// Merges the branches of all shards into weir/all. No file is in two shards, so no conflict is possible.
Status merge_all(const Campaign& campaign, const fs::path& folder) {
  const fs::path tree = folder / "worktrees" / "all";
  if (auto ready = prepare_worktree(tree, kMergedBranch, campaign.base); !ready) return ready;
  for (const Shard& shard : campaign.shards) {
    const auto merged = run_git({"merge", "-q", "--no-edit", branch_name(shard)}, tree);
    if (!merged) return merged.error();
  }
  return ok();
}

/// Returns whether weir/all lacks commits of a shard, because a run was interrupted after its last file and before the
/// end of the merge. Returns false if a shard's branch is not of this campaign (any more): then the user has taken over
/// the branches, and they stay as they are.
bool lacks_merge(const Campaign& campaign) {
  const auto& shards = campaign.shards;
  return std::all_of(shards.begin(), shards.end(),
                     [&](const Shard& shard) { return is_campaign_branch(branch_name(shard), campaign.base); }) &&
         !std::all_of(shards.begin(), shards.end(), [&](const Shard& shard) {
           return static_cast<bool>(run_git({"merge-base", "--is-ancestor", "refs/heads/" + branch_name(shard),
                                             fmt::format("refs/heads/{}", kMergedBranch)}));
         });
}

/// Removes the worktrees that exist; the branches stay. Errors are ignored: the next run reuses a worktree that
/// remains, or removes it.
void remove_worktrees(const Campaign& campaign, const fs::path& folder) {
  std::vector<std::string> names{"all"};
  for (const Shard& shard : campaign.shards) names.push_back(shard.name);
  for (const std::string& name : names) {
    std::error_code ignored;
    const fs::path tree = folder / "worktrees" / name;
    if (fs::exists(tree, ignored)) (void)run_git({"worktree", "remove", "--force", tree.native()});
  }
}

/// Works on all shards with up to ten threads. `begin`: start time of this run. Returns the first error.
Status process_all_shards(const CampaignRequest& request, Campaign& campaign, const EditedTexts& texts,
                          const fs::path& folder, Clock::time_point begin) {
  // Removes git's records of worktrees whose folders were deleted. An error does not matter, because
  // `git worktree add -f` replaces such records.
  (void)run_git({"worktree", "prune"});
  std::atomic<std::size_t> next{0};
  std::mutex progress_mutex;  // for `result` and campaign.wall_seconds
  std::mutex worktree_mutex;
  Status result = ok();
  // Saves the wall time during the run, so that it is not lost if the run is killed; at most once per second.
  const double earlier_seconds = campaign.wall_seconds;
  const std::function<Status()> save_duration = [&] {
    const std::lock_guard lock{progress_mutex};
    const double total = earlier_seconds + std::chrono::duration<double>(Clock::now() - begin).count();
    if (total - campaign.wall_seconds < 1) return ok();
    campaign.wall_seconds = total;
    return save_plan(folder, campaign);
  };
  const auto work_on = [&] {
    for (std::size_t i = next++; i < campaign.shards.size(); i = next++) {
      Shard& shard = campaign.shards[i];
      auto done = process_shard({request, campaign, texts, folder, worktree_mutex, save_duration}, shard);
      const std::lock_guard lock{progress_mutex};
      if (!done && result) result = std::move(done);
    }
  };
  {
    const auto helpers = start_helpers(std::clamp(request.jobs, 1, 10) - 1, work_on);
    work_on();
  }
  return result;
}

}  // namespace

Result<Campaign> run_campaign(const CampaignRequest& request) {
  auto campaign = load_campaign();
  if (!campaign) return campaign.error();
  const auto folder = campaign_folder();
  const auto top = run_git({"rev-parse", "--show-toplevel"});
  const auto head = run_git({"rev-parse", "HEAD"});
  if (!folder || !top || !head) return Error{Errc::invalid_argument, "this is no git repository"};
  if (first_line(*head) != campaign->base)
    return Error{Errc::invalid_argument,
                 fmt::format("the plan was made from the commit {}; check that out, or plan again",
                             campaign->base.substr(0, 12))};
  const bool has_planned_files = compute_verdict(*campaign).planned > 0;
  if (!has_planned_files && !lacks_merge(*campaign)) {
    remove_worktrees(*campaign, *folder);  // an interrupted run may have left some
    return campaign;
  }
  const auto begin = Clock::now();
  const double earlier_seconds = campaign->wall_seconds;
  Status done = ok();
  if (has_planned_files) {
    const auto texts = edited_texts(request, *campaign, first_line(*top));
    if (!texts) return texts.error();
    done = process_all_shards(request, *campaign, *texts, *folder, begin);
  }
  if (done) done = merge_all(*campaign, *folder);
  if (done) remove_worktrees(*campaign, *folder);
  campaign->wall_seconds = earlier_seconds + std::chrono::duration<double>(Clock::now() - begin).count();
  if (auto saved = save_plan(*folder, *campaign); !saved) return saved.error();
  if (!done) return done.error();
  return campaign;
}

}  // namespace weir::audit
