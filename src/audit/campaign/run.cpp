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

/// Removes the worktrees; the branches stay. Errors are ignored: the next run reuses a worktree that remains.
void remove_worktrees(const Campaign& campaign, const fs::path& folder) {
  for (const Shard& shard : campaign.shards)
    (void)run_git({"worktree", "remove", "--force", (folder / "worktrees" / shard.name).native()});
  (void)run_git({"worktree", "remove", "--force", (folder / "worktrees" / "all").native()});
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
  if (compute_verdict(*campaign).planned == 0) return campaign;
  const auto begin = Clock::now();
  const auto texts = edited_texts(request, *campaign, first_line(*top));
  if (!texts) return texts.error();
  const double earlier_seconds = campaign->wall_seconds;
  auto done = process_all_shards(request, *campaign, *texts, *folder, begin);
  if (done) done = merge_all(*campaign, *folder);
  if (done) remove_worktrees(*campaign, *folder);
  campaign->wall_seconds = earlier_seconds + std::chrono::duration<double>(Clock::now() - begin).count();
  if (auto saved = save_plan(*folder, *campaign); !saved) return saved.error();
  if (!done) return done.error();
  return campaign;
}

}  // namespace weir::audit
