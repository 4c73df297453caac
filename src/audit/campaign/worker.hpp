#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <mutex>
#include <string>

#include "audit/campaign/campaign.hpp"

namespace weir::audit {

struct EditedText {
  std::string before, after;
};
/// By path below the repository.
using MendedTexts = std::map<std::string, EditedText>;

/// What the workers of a campaign share.
struct ShardWork {
  const CampaignRequest& request;
  const Campaign& campaign;
  const MendedTexts& texts;
  const std::filesystem::path& folder;  ///< campaign_folder()
  std::mutex& making_trees;             ///< held while git makes a worktree
  /// Saves how long the campaign has run; called after each file, from any thread.
  const std::function<Status()>& note_time;
};

/// Does what is left of one shard in a worktree and on a branch of its own; each file's state is saved when it is known. Thread-safe
/// for different shards. Errors: io, cancelled.
Status work_on_shard(const ShardWork& work, Shard& shard);

/// A worktree on a branch, made from `base` where there is none; what an interruption left half done in it is undone. One at a
/// time: git fails now and then when it makes two at once. Errors: io; invalid_argument (the branch is there and not of this campaign).
Status prepare_tree(const std::filesystem::path& tree, const std::string& branch, const std::string& base);

}  // namespace weir::audit
