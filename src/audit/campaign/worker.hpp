#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <mutex>
#include <string>

#include "audit/campaign/campaign.hpp"

namespace weir::audit {

/// A whole file before and after its edits.
struct EditedText {
  std::string text_before, text_after;
};
/// Edited texts by path; paths are relative to the top folder of the repository.
using EditedTexts = std::map<std::string, EditedText>;

/// The data that all workers of a campaign share.
struct CampaignContext {
  const CampaignRequest& request;
  const Campaign& campaign;
  const EditedTexts& texts;
  const std::filesystem::path& folder;  ///< campaign_folder()
  std::mutex& worktree_mutex;           ///< held while git creates a worktree
  /// Saves the wall time of the campaign so far, at most once per second. Workers call it after each file, from any
  /// thread.
  const std::function<Status()>& save_duration;
};

/// Works on all files of one shard whose state is "planned", in a worktree and on a branch of its own, and saves the
/// state of each file as soon as it is known. Thread-safe for different shards. Errors: io, disk_full, invalid_argument
/// (the branch is not of this campaign), cancelled.
Status process_shard(const CampaignContext& context, Shard& shard);

/// Creates or reuses the worktree in the folder `tree` for a branch; a new branch starts at the commit `base`. Reverts
/// uncommitted changes of an interrupted run. Not thread-safe: git sometimes fails when it creates two worktrees at
/// once. Errors: io, invalid_argument (the branch exists and is not of this campaign).
Status prepare_worktree(const std::filesystem::path& tree, const std::string& branch, const std::string& base);

}  // namespace weir::audit
